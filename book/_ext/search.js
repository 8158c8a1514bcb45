// What a result of the search shows: the sentence that holds the words, as it stands in the text.
// Sphinx takes 240 characters of whatever is on the page, contents and code too.
const sentencesOf = (article) =>
  [...article.querySelectorAll("p, li, dd, td")]
    .filter((part) => !part.closest("nav, .cell_input, .toctree-wrapper, .cnnlesson-figure"))
    .filter((part) => !part.querySelector("p, li"))
    .flatMap((part) =>
      part.textContent
        .replace(/\s+/g, " ")
        .trim()
        .split(/(?<=[.?!])\s(?=[A-Z])/)
    )
    .filter((sentence) => sentence.length > 20);

// @ts-expect-error: Sphinx's, in the script before this one
Search.makeSearchSummary = (html, keywords, anchor) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const extra of page.querySelectorAll(".headerlink, script, style")) extra.remove();
  const article = page.querySelector("article");
  const part = (anchor && page.getElementById(anchor.slice(1))) || article;
  if (!part) return null;
  const words = [...keywords].map((word) => word.toLowerCase());
  const sentences = sentencesOf(part);
  const count = (sentence) => words.filter((word) => sentence.toLowerCase().includes(word)).length;
  const best = sentences.reduce((a, b) => (count(b) > count(a) ? b : a), sentences[0] ?? "");
  const next = sentences[sentences.indexOf(best) + 1] ?? "";
  const summary = document.createElement("p");
  summary.className = "context";
  summary.textContent = best.length + next.length < 240 ? `${best} ${next}`.trim() : best;
  return summary;
};
