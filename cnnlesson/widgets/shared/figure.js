// What the figures share: a frame around a model, sliders, plots, a point to drag, words.
//
// A model has anywidget's `get`, `set`, `on`, `off` and `save_changes`. Besides the settings it
// holds `_limits` (the range of each setting), `_initial` (what "reset" returns to) and, where a
// figure has any, `_data` (what a state contains besides the settings).

const XHTML = "http://www.w3.org/1999/xhtml";
const SVG = "http://www.w3.org/2000/svg";
export const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** Append a new element to `parent`, inside an `svg` an SVG element. */
export function add(parent, tag, attributes = {}, text = "") {
  const isSvg = tag === "svg" || parent.namespaceURI === SVG;
  const element = document.createElementNS(isSvg ? SVG : XHTML, tag);
  element.textContent = text;
  parent.append(element);
  return set(element, attributes);
}

/** Set attributes of an element: those that change, because each has the browser look again. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
  return element;
}

/** Write an element's text into the text node it has: a new one would be laid out afresh. */
export function setText(element, text) {
  const node = element.firstChild ?? element.appendChild(document.createTextNode(""));
  if (node.data !== String(text)) node.data = text;
}

/**
 * Return a function that appends like `add`, but takes again what the last drawing put at the same
 * place, and changes no more than differs. Its `end()` removes what was not drawn this time.
 */
export function sketch(root) {
  const counts = new Map([[root, 0]]); // how many children were drawn
  const put = (parent, tag, attributes = {}, text = "") => {
    const place = counts.get(parent);
    counts.set(parent, place + 1);
    const old = parent.children[place];
    const element = old?.localName === tag ? old : add(parent, tag);
    if (old && element !== old) old.replaceWith(element);
    for (const name of element.getAttributeNames()) name in attributes || element.removeAttribute(name);
    set(element, attributes);
    if (text !== "" || element.firstChild?.nodeType === Node.TEXT_NODE) setText(element, text);
    counts.set(element, 0);
    return element;
  };
  put.end = () => counts.forEach((count, parent) => {
    while (parent.children.length > count) parent.lastElementChild.remove();
  });
  return put;
}

/** Write a number with a fixed number of decimals and a real minus sign. */
export function number(value, decimals = 2) {
  return value.toFixed(decimals).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

/** Write a power of ten, 10⁻³. */
export function powerOfTen(exponent) {
  return "10" + String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
}

/** Return at most `count` + 1 round values that cover [low, high] evenly. */
export function ticks([low, high], count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) * power;
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high * (1 + 1e-9); i++) values.push(i * step);
  return values;
}

/** Map `domain` to `range` in pixels, linearly or by logarithm. */
export function scale([a, b], [p, q], isLog = false) {
  // A loss may reach exactly 0, which has no logarithm.
  const f = isLog ? (value) => Math.log10(Math.max(value, 1e-300)) : (value) => value;
  const slope = (q - p) / (f(b) - f(a));
  const map = (value) => p + (f(value) - f(a)) * slope;
  map.invert = (pixel) => {
    const value = f(a) + (pixel - p) / slope;
    return isLog ? 10 ** value : value;
  };
  return map;
}

const same = (value) => value;

/** Set up a figure in `el`; `draw(state)` runs whenever a setting changed. */
export function figure({ model, el }, label) {
  const root = add(el, "div", {
    class: "cnnlesson-figure is-live",
    role: "group",
    "aria-label": label,
    "data-lm-suppress-shortcuts": "true", // JupyterLab would take the arrow keys
  });
  // An element around a live output cancels arrow keys, and with them every slider's own step.
  root.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow")) event.stopPropagation();
  });
  const initial = model.get("_initial");
  const limits = { ...model.get("_limits") };
  const names = Object.keys(initial);
  const own = new Map(); // values of the view alone
  const listeners = new Map(); // to them
  const status = add(root, "p", { class: "for-screen-readers", role: "status" });
  const undo = [];
  const resets = [];
  let touched = null;
  let frame = 0;
  let isStale = false;
  let said = null;
  let saying = 0;

  // A finger that turns out to scroll the page has moved nothing. What plays on meanwhile does.
  root.addEventListener("pointerdown", ({ target }) => {
    const name = target.dataset?.name; // of the view's number that is under the finger
    touched = [Object.fromEntries(names.map((name) => [name, model.get(name)])), name, own.get(name)];
  }, { capture: true });
  root.addEventListener("pointercancel", () => {
    const [settings, name, value] = touched;
    self.set(settings);
    if (name) self.setOwn(name, value);
  });

  const drawStale = () => {
    if (!isStale) return;
    isStale = false;
    self.draw(self.state());
  };

  const self = {
    root,
    limits,
    undo, // what takes the figure down again
    resets, // what the reset button does to the view, after the settings
    draw: () => {},

    get: (name) => (own.has(name) ? own.get(name) : model.get(name)),

    state: () => ({ ...model.get("_data"), ...Object.fromEntries(names.map((name) => [name, model.get(name)])) }),

    set(changes) {
      for (const [name, value] of Object.entries(changes)) model.set(name, value);
      model.save_changes();
    },

    /** Give the view a number of its own, which neither Python nor the page's address knows. */
    setOwn(name, value, range = limits[name]) {
      own.set(name, value);
      limits[name] = range;
      listeners.get(name)?.forEach((listener) => listener());
      self.redraw();
    },

    /** Draw once whoever called is done; what changes after that waits for the next frame. */
    redraw() {
      if (!frame) queueMicrotask(drawStale);
      self.redrawLater();
    },

    /** Draw in the next frame. */
    redrawLater() {
      isStale = true;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        drawStale();
      });
    },

    /** Tell screen readers, once the reader's hand rests; what the page opens with is not news. */
    say(text) {
      if (said !== null && text !== said) {
        clearTimeout(saying);
        saying = setTimeout(() => setText(status, text), 600);
      }
      said = text;
    },

    on(name, listener) {
      if (own.has(name)) return listeners.set(name, [...(listeners.get(name) ?? []), listener]);
      model.on(`change:${name}`, listener);
      undo.push(() => model.off(`change:${name}`, listener));
    },

    button(parent, text, changes) {
      const button = add(parent, "button", { type: "button" }, text);
      button.addEventListener("click", () => self.set(changes()));
      return button;
    },

    /** Show how a path of this class looks, in front of the words about it. */
    sample(parent, name) {
      const svg = add(parent, "svg", { class: "sample", width: 34, height: 12, "aria-hidden": "true" });
      add(svg, "path", { class: `path ${name}`, d: "M1,6h32" });
      add(svg, "path", { class: `dots ${name}`, d: "M5,6h0M17,6h0M29,6h0" });
    },

    resetButton(parent) {
      const button = self.button(parent, "Reset", () => initial);
      button.addEventListener("click", () => resets.forEach((step) => step()));
    },

    slider(parent, name, { label, symbol = "", step, isLog = false, show }) {
      const [, , isWhole] = limits[name];
      const near = (value) => (isWhole ? Math.round(value) : Number(value.toPrecision(3)));
      const toValue = (position) => (isLog ? near(10 ** position) : position);
      const toPosition = (value) => (isLog ? Math.log10(value) : value);
      const toFraction = (value) => scale(limits[name], [0, 1], isLog)(value);
      const row = add(parent, "div", { class: "slider" });
      const caption = add(row, "label");
      const words = add(caption, "span", {}, `${label} `);
      add(words, "i", {}, symbol);
      const input = add(caption, "input", { type: "range", step });
      set(input, { [own.has(name) ? "data-name" : "name"]: name }); // a name is a setting's
      const output = add(row, "output", { "aria-live": "off" }); // the slider says it itself
      const update = () => {
        const value = self.get(name);
        const [min, max] = limits[name].map(toPosition);
        set(input, { min, max });
        // Written only when another hand moved it: a value between two steps would jump.
        if (toValue(input.valueAsNumber) !== value) input.value = toPosition(value);
        input.style.setProperty("--filled", toFraction(value));
        setText(output, show(value));
        set(input, { "aria-valuetext": show(value) });
      };
      input.addEventListener("input", () => {
        const [low, high] = limits[name];
        const value = Math.min(Math.max(toValue(input.valueAsNumber), low), high);
        if (own.has(name)) self.setOwn(name, value);
        else self.set({ [name]: value });
      });
      self.on(name, update);
      update();
      const markLimit = (value) => input.style.setProperty("--limit", toFraction(value));
      return { row, input, markLimit, update };
    },

    /** One of a few words, from a native list. */
    choice(parent, name, { label, names }) {
      const row = add(parent, "label", { class: "choice" });
      add(row, "span", {}, label);
      const select = add(row, "select", { name });
      for (const value of limits[name]) add(select, "option", { value }, names[value]);
      const update = () => (select.value = model.get(name));
      select.addEventListener("change", () => self.set({ [name]: select.value }));
      self.on(name, update);
      update();
    },

    /** One number of a list, to type, or to step with the arrow keys. */
    entry(parent, name, i, { label }) {
      const [low, high] = limits[name];
      const range = { type: "number", min: low, max: high, step: "any" };
      const input = add(parent, "input", { ...range, name: `${name}-${i}`, "aria-label": label });
      const update = () => {
        // Written only when another hand changed it: a number half typed would be lost.
        if (input.valueAsNumber !== model.get(name)[i]) input.value = model.get(name)[i];
      };
      input.addEventListener("input", () => {
        const value = Math.min(Math.max(input.valueAsNumber, low), high);
        if (Number.isNaN(value)) return;
        self.set({ [name]: model.get(name).map((other, k) => (k === i ? value : other)) });
      });
      input.addEventListener("change", update);
      self.on(name, update);
      update();
      return input;
    },

    /**
     * Put a point on a plot that pointer, finger and arrow keys move. It is one setting, or two
     * settings of one number each; with `isTarget` a tap anywhere on the plot brings it there.
     * `toPlot` and `fromPlot` are for a setting in other coordinates than the plot's.
     */
    point(plot, name, { label, step, axes = ["x", "y"], isTarget = false, toPlot = same, fromPlot = same }) {
      const isPair = Array.isArray(name);
      const read = () => toPlot(isPair ? name.map((part) => model.get(part)) : model.get(name));
      const [stepX, stepY] = [step].flat().length === 2 ? step : [step, step];
      const show = (x, y) => `${axes[0]} = ${number(x)}, ${axes[1]} = ${number(y)}`;
      const [[left, right], [bottom, top]] = isPair ? name.map((part) => limits[part]) : limits[name];
      const handle = add(plot.svg, "g", {
        class: "point",
        tabindex: 0,
        role: "slider",
        "aria-roledescription": "point to drag",
        "aria-valuemin": left,
        "aria-valuemax": right,
      });
      for (const [part, r] of [["hit", 22], ["ring", 13], ["knob", 7]]) {
        add(handle, "circle", { class: part, r });
      }
      const move = (...to) => {
        const [x, y] = fromPlot(to);
        const inside = [Math.min(Math.max(x, left), right), Math.min(Math.max(y, bottom), top)];
        const value = inside.map((part) => Number(part.toFixed(2)));
        self.set(isPair ? { [name[0]]: value[0], [name[1]]: value[1] } : { [name]: value });
      };
      let grip = null; // from the pointer to the point: where it is grabbed, it stays grabbed
      handle.addEventListener("pointerdown", (event) => {
        const [x, y] = read();
        grip = [plot.x(x) - event.clientX, plot.y(y) - event.clientY];
        handle.setPointerCapture(event.pointerId);
        handle.focus({ preventScroll: true });
        event.preventDefault();
      });
      // Or the page scrolls away: inside an SVG, Chrome does not heed `touch-action: none`.
      handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
      handle.addEventListener("pointermove", (event) => {
        if (!grip) return;
        move(plot.x.invert(event.clientX + grip[0]), plot.y.invert(event.clientY + grip[1]));
      });
      handle.addEventListener("lostpointercapture", () => (grip = null));
      handle.addEventListener("keydown", (event) => {
        const direction = DIRECTIONS[event.key];
        if (!direction) return;
        const [x, y] = read();
        const stride = event.shiftKey ? 10 : 1;
        move(x + stride * stepX * direction[0], y + stride * stepY * direction[1]);
        event.preventDefault();
      });
      // A click, not a pointer that goes down: a finger that scrolls the page moves nothing.
      if (isTarget) plot.svg.classList.add("target");
      if (isTarget) plot.svg.addEventListener("click", (event) => {
        if (handle.contains(event.target)) return;
        const { left, top } = plot.svg.getBoundingClientRect();
        const [x, y] = [event.clientX - left, event.clientY - top];
        const { box } = plot;
        if (x < box.x || x > box.x + box.width || y < box.y || y > box.y + box.height) return;
        move(plot.x.invert(x), plot.y.invert(y));
        handle.focus({ preventScroll: true });
      });
      return {
        place() {
          const [x, y] = read();
          set(handle, {
            transform: `translate(${plot.x(x)},${plot.y(y)})`,
            "aria-label": `${label} at ${show(x, y)}`,
            "aria-valuenow": x,
            "aria-valuetext": show(x, y),
          });
        },
      };
    },

    /** An SVG as wide as there is room, in CSS pixels; `height` of the part inside its margin. */
    plot(parent, { label, isImage = false, height, margin: [above, right, below, left] }) {
      const holder = add(parent, "div");
      const svg = add(holder, "svg", { class: "plot", role: isImage ? "img" : "group", "aria-label": label });
      const axes = add(svg, "g", { class: "axes", "aria-hidden": "true" });
      const inside = add(svg, "svg", { class: "inside", "aria-hidden": "true" }); // clips
      let drawn = "";
      let explained = null; // the row of the legend, and how wide it is
      const plot = {
        svg,
        inside,
        width: Math.round(holder.clientWidth) || 640,

        /**
         * Fit scales and axes to the size and the domains; cheap when neither changed. `rows`, a
         * list of [y, text], marks the y axis in place of round numbers, `columns` the x axis.
         */
        frame({ x, y, xLabel, yLabel, isLogY = false, rows = null, columns = null }) {
          const key = JSON.stringify([plot.width, x, y, xLabel, yLabel, rows, columns]);
          if (key === drawn) return;
          drawn = key;
          const width = plot.width - left - right;
          const tall = Math.round(height(width));
          const total = above + tall + below;
          plot.box = { x: left, y: above, width, height: tall };
          plot.x = scale(x, [left, left + width]);
          plot.y = scale(y, [above + tall, above], isLogY);
          set(svg, { viewBox: `0 0 ${plot.width} ${total}`, height: total });
          set(inside, { ...plot.box, viewBox: `${left} ${above} ${width} ${tall}` });
          if (explained) set(explained.row, { transform: `scale(${Math.min(1, plot.width / explained.width)})` });

          const plain = (value) => String(Number(value.toPrecision(6))).replace("-", "−");
          const powers = isLogY ? ticks(y.map(Math.log10), 6) : [];
          const marks = isLogY
            ? powers.map((power) => [10 ** power, powerOfTen(power)])
            : (rows ?? ticks(y, 2).map((value) => [value, plain(value)]));
          const put = sketch(axes);
          const label = (text, x, y, anchor) => put(axes, "text", { x, y, "text-anchor": anchor }, text);
          put(axes, "rect", plot.box);
          put(axes, "path", { d: marks.map(([value]) => `M${left},${plot.y(value)}h${width}`).join("") });
          for (const [value, text] of columns ?? ticks(x, 5).map((at) => [at, plain(at)])) {
            label(text, plot.x(value), above + tall + 16, "middle");
          }
          for (const [value, text] of marks) label(text, left - 6, plot.y(value) + 4, "end");
          label(xLabel, left + width / 2, total - 4, "middle");
          const turned = `translate(12,${above + tall / 2}) rotate(-90)`;
          put(axes, "text", { transform: turned, "text-anchor": "middle" }, yLabel);
          put.end();
        },

        /** The `d` of a path through the points, given in data units. */
        line: (points) =>
          "M" + points.map(([x, y]) => `${plot.x(x).toFixed(2)},${plot.y(y).toFixed(2)}`).join("L"),

        /** The `d` of one dot per point, drawn by a round stroke: one element for all. */
        dots: (points) =>
          points.map(([x, y]) => `M${plot.x(x).toFixed(2)},${plot.y(y).toFixed(2)}h0`).join(""),

        /** Explain above the plot how lines of these classes look: a list of [class, text]. */
        legend(title, items) {
          const row = add(svg, "g", { "aria-hidden": "true" });
          const label = (text, x) => x + add(row, "text", { x, y: 14 }, text).getComputedTextLength();
          let end = title ? label(title, left) + 10 : left;
          for (const [name, text] of items) {
            add(row, "path", { class: name, d: `M${end},10h18` });
            end = label(text, end + 23) + 14;
          }
          explained = { row, width: end - 14 };
        },

        /** Write a curve's name beside its middle; not at all where it would hide the other one. */
        nameCurve(text, points, otherPoints, isAbove) {
          const pixels = (list) => list.map(([x, y]) => [plot.x(x), plot.y(y)]);
          const [curve, other] = [pixels(points), pixels(otherPoints)];
          const { x: left, y: top, width, height } = plot.box;
          const isSeen = ([, y]) => top <= y && y <= top + height;
          const last = Math.max(0, curve.findLastIndex(isSeen));
          const leaves = last + 1 < curve.length && curve[last + 1][1] < top;
          const middle = curve[leaves ? last + 1 : last >> 1][0];
          const size = text.getComputedTextLength();
          const beside = isAbove ? middle + 5 : middle - 5 - size;
          const from = Math.min(Math.max(beside, left + 4), left + width - size - 4);
          const heightAt = (x) => { // on the straight line between two points
            const next = Math.max(1, curve.findIndex(([other]) => other >= x));
            const [[x0, y0], [x1, y1]] = [curve[next - 1], curve[next] ?? curve[next - 1]];
            return x1 > x0 ? y0 + ((x - x0) / (x1 - x0)) * (y1 - y0) : y0;
          };
          const between = curve.filter(([x]) => from <= x && x <= from + size).map(([, y]) => y);
          const heights = [heightAt(from), ...between, heightAt(from + size)];
          const free = isAbove ? Math.min(...heights) - 8 : Math.max(...heights) + 16;
          const base = Math.min(Math.max(free, top + 16), top + height - 8);
          const hides = other.some(([x, y], i) => {
            const [x0, y0] = other[Math.max(0, i - 1)];
            const overlaps = Math.max(x, x0) >= from && Math.min(x, x0) <= from + size;
            return overlaps && Math.max(y, y0) >= base - 12 && Math.min(y, y0) <= base + 4;
          });
          const coincides = other.every(([, y], i) => Math.abs(y - curve[i]?.[1]) < 1);
          const isHidden = hides || !curve.some(isSeen) || (coincides && !isAbove); // one is enough for both
          set(text, { x: from, y: base, visibility: isHidden ? "hidden" : "visible" });
        },
      };
      const sized = new ResizeObserver(([{ contentRect }]) => {
        if (Math.round(contentRect.width) === plot.width || contentRect.width < 1) return;
        plot.width = Math.round(contentRect.width);
        self.redrawLater(); // now, what is observed would change again
      });
      sized.observe(holder);
      undo.push(() => sized.disconnect());
      return plot;
    },

    /** Draw for the first time; returns what takes the figure down again. */
    start() {
      for (const name of names) self.on(name, self.redraw);
      self.draw(self.state());
      return () => {
        undo.forEach((step) => step());
        cancelAnimationFrame(frame);
        isStale = false;
        clearTimeout(saying);
        root.remove();
      };
    },
  };
  return self;
}
