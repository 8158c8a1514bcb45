// Play and Pause, and a slider over the same steps: a course to watch or to leaf through.
import { add, setText } from "./dom.js";

const SLOWEST = 4; // steps a second

/** @import { Figure } from "./figure.js" */

/**
 * Give the view a step `name` of as many as the setting `count` says, at first `first`. A longer
 * course has again the step that the reader chose; who stands at the end stays there.
 * @param {Figure} self
 * @param {string} name
 * @param {string} count
 * @param {number} first
 */
export function stepOf(self, name, count, first) {
  let wish = first; // the step that the reader chose
  const follow = () => {
    const [kept, steps] = [wish, self.get(count)];
    self.setOwn(name, Math.min(wish, steps), [0, steps]);
    wish = kept;
  };
  follow();
  self.on(name, () => {
    const [at, end] = [self.get(name), self.limits[name][1]];
    wish = at === end ? Infinity : at;
  });
  self.on(count, follow);
  self.resets.push(() => {
    wish = first;
    follow();
  });
}

/**
 * Add both for `name`, a number of the view or a setting. What plays moves as by an arrow key of
 * the slider. Who wants less motion gets a step at a time.
 * @param {Figure} self
 * @param {Element} parent
 * @param {string} name
 * @param {{ label: string, show: (value: number) => string, step?: number, isLog?: boolean,
 *   seconds?: number }} look `seconds` for the whole course; a short one is slower still than that
 * @returns what has it pause
 */
export function player(self, parent, name, { label, show, step = 1, isLog, seconds = 8 }) {
  const row = add(parent, "div", { class: "player" });
  const button = add(row, "button", { type: "button" });
  const { input, take } = self.slider(row, name, { label, step, isLog, show });
  const stillness = matchMedia("(prefers-reduced-motion: reduce)");
  let frame = 0;
  const write = () => {
    setText(button, frame ? "Pause" : stillness.matches ? "Next step" : "Play");
  };
  const pause = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    self.playing = "";
    write();
  };
  const isAtEnd = () => input.value === input.max;
  const next = (/** @type {number} */ steps) => {
    if (isAtEnd()) input.value = input.min;
    else input.stepUp(steps);
    take();
  };

  function play() {
    let before = Infinity;
    let due = 0; // steps, of which only whole ones are made
    const tick = (/** @type {number} */ now) => {
      // A hidden page does not leap.
      const passed = Math.min(Math.max(now - before, 0), 100) / 1000;
      due += passed * Math.max(SLOWEST, (+input.max - +input.min) / step / seconds);
      before = now;
      const steps = Math.floor(due);
      due -= steps;
      if (steps) next(steps);
      if (isAtEnd()) pause();
      else frame = requestAnimationFrame(tick);
    };
    if (isAtEnd()) next(1); // back to the start
    frame = requestAnimationFrame(tick);
    self.playing = name;
    write();
  }

  button.addEventListener("click", () => {
    if (frame) return pause();
    if (!stillness.matches) return play();
    const before = self.get(name);
    // Of a whole number on a logarithmic slider several places mean the same.
    do next(1);
    while (isLog && self.get(name) === before);
  });
  input.addEventListener("input", pause);
  stillness.addEventListener("change", pause);
  const seen = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting || pause());
  seen.observe(parent);
  self.resets.push(pause);
  self.undo.push(
    pause,
    () => seen.disconnect(),
    () => stillness.removeEventListener("change", pause)
  );
  write();
  return pause;
}
