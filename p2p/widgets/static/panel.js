// The page of p2p.panel(). Every text from outside goes in by textContent: nothing here makes HTML of a string.

const SVG = "http://www.w3.org/2000/svg";
const MARKS = { done: "✓", cached: "⟲", failed: "✗", running: "…", stale: "≠", never: "·" };
const WORDS = { never: "has not run here" };
const BOX = { width: 150, height: 44, across: 40, down: 18, edge: 12 };
let panels = 0;

/** An element with attributes and children; `on...` are listeners, and texts stay texts. */
function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  return fill(made, attributes, children);
}

function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Puts children in the place of all that an element has. */
function put(at, ...children) {
  at.replaceChildren();
  return fill(at, {}, children);
}

const word = (state) => WORDS[state] ?? state;
const seconds = (n) => (n === null || n === undefined ? "" : n < 0.001 ? "<1 ms" : n < 1 ? `${Math.round(n * 1000)} ms` : `${n.toPrecision(3)} s`);
const short = (n) => (typeof n === "number" ? String(+n.toPrecision(6)) : String(n ?? ""));

/** Asks the kernel, one answer for each question. */
class Kernel {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.listeners = new Map();
    this.number = 0;
    model.on("msg:custom", (message) => this.heard(message));
  }

  heard(message) {
    if (message.push !== undefined) this.listeners.get(message.push)?.(message);
    const then = this.waiting.get(message.id);
    if (then) {
      this.waiting.delete(message.id);
      then(message.answer);
    }
  }

  ask(what, data = {}) {
    const id = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.model.send({ id, ask: what, ...data });
    });
  }

  on(what, then) {
    this.listeners.set(what, then);
  }
}

/** The tabs, by the pattern of the ARIA practices: arrow keys move, Tab leaves. */
class Tabs {
  constructor(names, id, opened) {
    this.names = names;
    this.opened = opened;
    this.tabs = names.map((name) =>
      h("button", {
        role: "tab", type: "button", id: `${id}-tab-${name}`, "aria-controls": `${id}-${name}`,
        onclick: () => this.open(name), onkeydown: (event) => this.key(event, name),
      }, name),
    );
    this.panels = names.map((name) =>
      h("div", { role: "tabpanel", id: `${id}-${name}`, "aria-labelledby": `${id}-tab-${name}`, tabindex: 0, class: "p2p-tab" }),
    );
  }

  panel(name) {
    return this.panels[this.names.indexOf(name)];
  }

  open(name, focus = false) {
    this.names.forEach((one, at) => {
      const here = one === name;
      this.tabs[at].setAttribute("aria-selected", String(here));
      this.tabs[at].tabIndex = here ? 0 : -1;
      this.panels[at].hidden = !here;
      if (here && focus) this.tabs[at].focus();
    });
    this.opened(name);
  }

  key(event, name) {
    const last = this.names.length - 1;
    const at = this.names.indexOf(name);
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.open(this.names[to], true);
  }
}

/** The code cells of the notebook that the panel stands in: JupyterLab's and Notebook 7's, or the classic notebook's. */
function codeCells(root) {
  const notebook = root.closest(".jp-Notebook, #notebook-container");
  return notebook ? [...notebook.querySelectorAll(".jp-CodeCell, .cell.code_cell")] : [];
}

/** Shows the cell of this number in the notebook that the panel stands in; false where that cannot be. */
function showCell(root, number) {
  const cells = codeCells(root);
  const cell = cells[number - 1];
  if (!cell) return false;
  cell.scrollIntoView({ block: "center" });
  cell.classList.add("p2p-shown");
  setTimeout(() => cell.classList.remove("p2p-shown"), 2500);
  const input = cell.querySelector(".jp-InputArea, .input");
  input?.dispatchEvent(new MouseEvent(cell.matches(".jp-CodeCell") ? "mousedown" : "click", { bubbles: true, button: 0 }));
  return true;
}

function cellButton(root, number) {
  return h("button", {
    type: "button", class: "p2p-link", "data-cell": number,
    // The classic notebook selects the cell that a click bubbles up to, which is the panel's own.
    onclick: (event) => { event.stopPropagation(); if (!showCell(root, number)) event.currentTarget.textContent = `cell ${number}: it is in the notebook above or below`; },
  }, `cell ${number}`);
}

/** Texts with each "cell N" in them as a button that shows that cell. */
function withCells(root, text) {
  return String(text).split(/(\bcell \d+\b)/).map((part) => {
    const match = /^cell (\d+)$/.exec(part);
    return match ? cellButton(root, Number(match[1])) : part;
  });
}

class StepsTab {
  constructor(kernel, root, at, say) {
    Object.assign(this, { kernel, root, say, chosen: null });
    this.title = h("p", { class: "p2p-lead" });
    this.drawing = h("div", { class: "p2p-drawing", tabindex: 0, role: "group", "aria-label": "Steps and what passes between them" });
    this.about = h("section", { class: "p2p-about", "aria-label": "The chosen step" }, h("p", { class: "p2p-quiet" }, "Choose a step to see its code, its inputs and outputs, and its last error."));
    this.stale = h("button", { type: "button", class: "p2p-main", onclick: () => this.runStale() }, "Run what is stale");
    at.append(h("div", { class: "p2p-bar" }, this.title, this.stale), this.drawing, this.about);
    kernel.on("steps", (graph) => this.draw(graph));
    kernel.on("progress", (step) => this.moved(step));
  }

  async open() {
    this.draw(await this.kernel.ask("steps"));
  }

  async runStale() {
    this.say("Running what is stale");
    const answer = await this.kernel.ask("stale");
    this.say(answer.problem ?? answer.note ?? "");
    await this.open();
  }

  draw(graph) {
    if (graph.problem) {
      this.title.textContent = graph.problem;
      return;
    }
    const counts = Object.keys(MARKS).map((state) => [state, graph.nodes.filter((node) => node.state === state).length]).filter(([, n]) => n);
    const told = counts.map(([state, n]) => `${n} ${word(state)}`).join(", ") || "no steps yet: mark a cell with %%step NAME";
    this.title.textContent = `${graph.notebook}: ${told}`;
    this.stale.disabled = !graph.nodes.some((node) => ["stale", "never", "failed"].includes(node.state));
    this.graph = graph;
    const shape = JSON.stringify([graph.nodes.map((node) => [node.name, node.column, node.row, node.cell]), graph.edges]);
    if (shape !== this.shape) this.lay(graph, shape);
    for (const node of graph.nodes) this.mark(node);
    this.problems(graph.problems);
    if (this.chosen && !this.asking) this.choose(this.chosen, false); // cells that run keep the answer waiting
  }

  lay(graph, shape) {
    const focused = this.focused();
    this.shape = shape;
    this.nodes = new Map();
    const place = new Map(graph.nodes.map((node) => [node.name, {
      x: BOX.edge + node.column * (BOX.width + BOX.across), y: BOX.edge + node.row * (BOX.height + BOX.down),
    }]));
    const width = Math.max(0, ...[...place.values()].map((p) => p.x + BOX.width)) + BOX.edge;
    const height = Math.max(0, ...[...place.values()].map((p) => p.y + BOX.height)) + BOX.edge;
    const lines = graph.edges.map((edge) => {
      const [from, to] = [place.get(edge.from), place.get(edge.to)];
      const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
      const bend = Math.max(24, (x2 - x1) / 2);
      return s("path", { class: "p2p-edge", d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }, s("title", {}, edge.values.join(", ")));
    });
    const boxes = graph.nodes.map((node) => this.box(node, place.get(node.name)));
    this.drawing.replaceChildren(s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "Data flow" }, lines, boxes));
    this.nodes.get(focused)?.box.focus({ preventScroll: true });
  }

  /** The step whose box has the focus: who goes by keyboard must not lose it when the steps are drawn anew. */
  focused() {
    const active = this.root.getRootNode().activeElement;
    return [...(this.nodes ?? [])].find(([, parts]) => parts.box === active)?.[0];
  }

  box(node, { x, y }) {
    const parts = { mark: s("text", { class: "p2p-mark", x: x + 12, y: y + 27 }), name: s("text", { class: "p2p-name", x: x + 34, y: y + 19 }), took: s("text", { class: "p2p-took", x: x + 34, y: y + 35 }), title: s("title", {}, node.name) };
    const label = node.name.length > 16 ? `${node.name.slice(0, 15)}…` : node.name;
    parts.name.textContent = label;
    parts.box = s("g", {
      class: "p2p-node", tabindex: 0, role: "button", "data-step": node.name,
      onclick: () => this.choose(node.name),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); this.choose(node.name); } },
    }, s("rect", { x, y, width: BOX.width, height: BOX.height, rx: 6 }), parts.mark, parts.name, parts.took, parts.title);
    this.nodes.set(node.name, parts);
    return parts.box;
  }

  mark(node) {
    const parts = this.nodes.get(node.name);
    const took = [word(node.state), node.progress?.short, seconds(node.seconds), node.attempts > 1 ? `${node.attempts} attempts` : ""].filter(Boolean).join(" · ");
    parts.box.setAttribute("data-state", node.state);
    parts.box.setAttribute("aria-label", `step ${node.name}: ${[took, ...node.why].join("; ")}`);
    parts.title.textContent = node.progress ? `${node.name}: ${node.progress.line}` : node.name;
    parts.box.setAttribute("aria-pressed", String(this.chosen === node.name));
    parts.mark.textContent = MARKS[node.state];
    parts.took.textContent = took;
  }

  /** A step that runs says how far it is; nothing else has changed. */
  moved({ name, progress }) {
    if (this.nodes?.has(name) && progress) this.mark({ name, progress, state: "running", seconds: null, attempts: 0, why: [] });
  }

  problems(found) {
    this.root.querySelector(".p2p-problems")?.remove();
    if (!found.length) return;
    this.drawing.after(h("ul", { class: "p2p-problems" }, found.map((one) => h("li", {}, cellButton(this.root, one.cell), ` ${one.what}`))));
  }

  async choose(name, scroll = true) {
    this.chosen = name;
    for (const [one, parts] of this.nodes) parts.box.setAttribute("aria-pressed", String(one === name));
    if (this.told !== name) this.beforehand(name);
    this.asking = name;
    const step = await this.kernel.ask("step", { name });
    if (this.asking === name) this.asking = null;
    if (this.chosen !== name) return;
    if (step.gone || step.problem) {
      this.about.replaceChildren(h("p", {}, step.problem ?? `There is no step '${name}' any more.`));
      return;
    }
    put(this.about,
      this.heading(step),
      step.error ? h("pre", { class: "p2p-error" }, step.error) : null, wayIn(step.way_in),
      values("Inputs", step.inputs), values("Outputs", step.outputs),
      h("details", { open: true }, h("summary", {}, "Code"), h("pre", { class: "p2p-code", tabindex: 0 }, step.code)),
    );
    this.told = name;
    if (scroll) this.about.scrollIntoView({ block: "nearest" });
  }

  heading(step) {
    const state = h("span", { class: "p2p-state", "data-state": step.state }, `${MARKS[step.state]} ${word(step.state)}`);
    const why = step.why.length ? h("ul", { class: "p2p-why" }, step.why.map((one) => h("li", {}, withCells(this.root, one)))) : null;
    return [h("h3", {}, step.name, " ", state, " ", cellButton(this.root, step.cell)), why];
  }

  /** What is known of a step here: the kernel answers when no cell waits for it. */
  beforehand(name) {
    const step = this.graph.nodes.find((node) => node.name === name);
    if (!step) return;
    this.told = null;
    put(this.about,
      this.heading(step),
      h("p", { class: "p2p-quiet p2p-waits" }, "Its code and values follow when the kernel is not busy."));
  }
}

/** The line to type in a terminal that opens a failed step, where there is one. */
function wayIn(line) {
  return line ? h("p", { class: "p2p-way-in" }, "Open it with its inputs: ", h("code", {}, line)) : null;
}

function values(what, found) {
  if (!found.length) return null;
  const rows = found.map((one) => [one.name, one.type, one.shape, one.size, h("pre", { class: "p2p-preview" }, one.preview)]);
  return table(what, ["name", "type", "shape", "size", "preview"], rows);
}

function table(caption, columns, rows) {
  return h("div", { class: "p2p-scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}

class ParametersTab {
  constructor(kernel, root, at, say, id) {
    Object.assign(this, { kernel, root, say, id, controls: new Map() });
    this.form = h("form", { novalidate: true, "aria-label": "Parameters", onsubmit: (event) => { event.preventDefault(); this.run(); } });
    this.progress = h("div", { class: "p2p-progress" });
    at.append(this.form, this.progress);
    kernel.on("run", (event) => this.told(event));
  }

  async open() {
    if (this.controls.size) return;
    const { fields, problem } = await this.kernel.ask("form");
    if (problem || !fields.length) {
      this.form.replaceChildren(h("p", { class: "p2p-quiet" }, problem ?? "This notebook has no parameters. Tag a cell `parameters` to give it some."));
      if (problem) return;
    } else {
      this.form.replaceChildren(...fields.map((field) => this.row(field)));
    }
    this.go = h("button", { type: "submit", class: "p2p-main" }, "Run");
    this.halt = h("button", { type: "button", hidden: true, onclick: () => this.kernel.ask("stop") }, "Stop");
    this.form.append(h("div", { class: "p2p-bar" }, this.go, this.halt, h("span", { class: "p2p-quiet" }, "Runs the saved notebook from its first cell, as one tracked run.")));
  }

  row(field) {
    const id = `${this.id}-field-${field.name}`;
    const told = [field.type, field.bounds, field.required ? "required" : "", field.optional ? "may be none" : ""].filter(Boolean).join(" · ");
    const input = this.input(field, id);
    const wrong = h("p", { class: "p2p-wrong", id: `${id}-wrong`, role: "alert" });
    const none = field.optional ? h("input", { type: "checkbox", id: `${id}-none`, onchange: () => { input.disabled = none.checked; this.check(); } }) : null;
    if (none && field.text === "null") {
      none.checked = input.disabled = true;
      input.value = "";
    }
    this.controls.set(field.name, { field, input, none, wrong, first: this.read({ field, input, none }) });
    return h("div", { class: "p2p-field" },
      h("label", { for: id }, field.name), h("div", {}, input, none, none && h("label", { for: `${id}-none`, class: "p2p-beside" }, "none")),
      h("p", { class: "p2p-help", id: `${id}-help` }, [field.help, told].filter(Boolean).join(" — ")), wrong);
  }

  input(field, id) {
    const common = { id, name: field.name, "aria-describedby": `${id}-help ${id}-wrong`, "aria-required": field.required ? "true" : null, onchange: () => this.check(), oninput: () => this.soon() };
    if (field.control === "choice") return h("select", common, field.choices.map((one) => h("option", { value: one, selected: one === field.text }, one)));
    if (field.control === "checkbox") return fill(h("input", { ...common, type: "checkbox" }), { checked: field.text === "true" }, []);
    if (field.control === "json") return fill(h("textarea", { ...common, rows: 2, spellcheck: "false" }), {}, [field.text]);
    const bounds = field.control === "number" ? { min: field.min, max: field.max, step: field.step ?? (field.whole ? 1 : "any") } : {};
    const made = h("input", { ...common, type: field.control === "number" ? "number" : field.control, ...bounds, step: bounds.step ?? (field.control.includes("time") ? 1 : null), autocomplete: "off", placeholder: field.control === "password" && !field.required ? "as in the notebook" : null });
    made.value = field.text;
    return made;
  }

  /** What a field holds as a text of the command line; null where it is left as the notebook has it. */
  read({ field, input, none }) {
    if (none?.checked) return "null";
    if (field.control === "checkbox") return String(input.checked);
    if (input.value === "" && (field.control === "password" || field.required || (field.control === "number" && !input.validity.badInput))) return null;
    return input.validity.badInput ? "?" : input.value;
  }

  text() {
    const found = {};
    for (const [name, control] of this.controls) {
      const now = this.read(control);
      found[name] = now === control.first && !control.field.required ? null : now;
    }
    return found;
  }

  soon() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.check(), 300);
  }

  async check() {
    clearTimeout(this.later);
    this.show((await this.kernel.ask("check", { text: this.text() })).problems ?? {});
  }

  show(problems) {
    for (const [name, { input, wrong }] of this.controls) {
      const why = problems[name] ?? "";
      if (wrong.textContent !== why) wrong.textContent = why;
      if (why) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  }

  async run() {
    const answer = await this.kernel.ask("run", { text: this.text() });
    if (answer.problem) this.say(answer.problem);
    this.show(answer.problems ?? {});
    const first = Object.keys(answer.problems ?? {})[0];
    if (first) this.controls.get(first)?.input.focus();
  }

  told(event) {
    if (event.kind === "began") {
      this.rows = new Map();
      this.list = h("ul", { class: "p2p-run" });
      this.head = h("p", { class: "p2p-lead" }, "Running");
      this.progress.replaceChildren(this.head, this.list);
      this.busy(true);
      this.say("The run has begun");
    } else if (event.kind === "step_started" && !event.parent) this.step(event.step, "running", "");
    else if (event.kind === "step_progress" && !event.parent) this.step(event.step, "running", event.line);
    else if (event.kind === "step_finished" && !event.parent) this.step(event.step, event.state, event.error_type ? `${event.error_type}: ${event.error}` : seconds(event.seconds));
    else if (event.kind === "mlflow_run") this.head.textContent = `Running as ${event.run_id}`;
    else if (event.kind === "refused" || event.kind === "ended") this.ended(event);
  }

  step(name, state, text) {
    const row = this.rows.get(name) ?? h("li", {});
    if (!this.rows.has(name)) this.list.append(row);
    this.rows.set(name, row);
    row.setAttribute("data-state", state);
    row.replaceChildren(h("b", {}, `${MARKS[state]} ${name}`), ` ${word(state)} ${text}`);
  }

  ended(event) {
    const text = event.kind === "refused" ? event.what : `${event.status}${event.seconds ? ` in ${seconds(event.seconds)}` : ""}${event.error ? `: ${event.error}` : ""}`;
    this.head.textContent = text;
    this.head.setAttribute("data-status", event.status ?? "REFUSED");
    this.progress.append(...[wayIn(event.way_in)].filter(Boolean));
    this.busy(false);
    this.say(`The run has ended: ${text}`);
  }

  busy(now) {
    if (this.go) this.go.disabled = now;
    if (this.halt) this.halt.hidden = !now;
  }
}

/** A link that opens beside the page; null for what is no address of the web. */
function webLink(address, text) {
  const found = URL.canParse(address) ? new URL(address) : null;
  if (!found || !["http:", "https:"].includes(found.protocol)) return null;
  const made = h("a", { target: "_blank", rel: "noopener noreferrer" }, text);
  made.href = found.href;
  return made;
}

class RunsTab {
  constructor(kernel, root, at, say, id) {
    Object.assign(this, { kernel, root, say, chosen: [], opened: new Map(), asked: { text: "", status: "", sort: "began", down: true, page: 0 } });
    const filter = h("input", { type: "search", id: `${id}-filter`, placeholder: "id, parameter, error", oninput: () => this.soon({ text: filter.value, page: 0 }) });
    const status = h("select", { id: `${id}-status`, onchange: () => this.load({ status: status.value, page: 0 }) }, ["", "FINISHED", "FAILED", "KILLED", "RUNNING"].map((one) => h("option", { value: one }, one || "any")));
    this.both = h("button", { type: "button", class: "p2p-main", disabled: true, onclick: () => this.compare() }, "Compare two");
    this.metric = h("select", { id: `${id}-metric`, onchange: () => this.plot() });
    this.count = h("span", { class: "p2p-quiet p2p-count" });
    this.list = h("div");
    this.below = h("div");
    at.append(h("div", { class: "p2p-bar" }, h("label", { for: `${id}-filter` }, "Filter"), filter, h("label", { for: `${id}-status` }, "Status"), status,
      h("label", { for: `${id}-metric` }, "Plot"), this.metric, this.both, h("button", { type: "button", onclick: () => this.load({}) }, "Refresh"), this.count), this.list, this.below);
  }

  open() {
    return this.load({});
  }

  soon(changes) {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.load(changes), 200);
  }

  async load(changes) {
    Object.assign(this.asked, changes);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.count.textContent = "reading the runs";
    let found = await this.kernel.ask("runs", { ...this.asked, soon: true });
    if (turn !== this.turn) return; // asked anew since then; the answers may come in any order
    if (found.whole === false) {
      this.show(found, `the newest ${found.total}; reading the older runs`);
      found = await this.kernel.ask("runs", this.asked);
      if (turn !== this.turn) return;
    }
    if (found.problem) {
      this.count.textContent = "";
      this.list.replaceChildren(h("p", {}, found.problem));
      return;
    }
    this.show(found, `${found.total} run${found.total === 1 ? "" : "s"}`);
    if (this.metric.value) await this.plot();
  }

  show(found, count) {
    this.count.textContent = count;
    if (found.whole) this.chosen = this.chosen.filter((key) => found.rows.some((row) => row.key === key));
    const active = this.root.getRootNode().activeElement;
    const held = active && this.list.contains(active) ? active.closest("[data-run]")?.dataset.run : null;
    this.rows(found);
    if (held) this.list.querySelector(`[data-run="${CSS.escape(held)}"] input`)?.focus(); // the older runs came while somebody chose
    const names = ["", ...found.columns.metrics];
    if (names.join("\n") !== [...this.metric.options].map((one) => one.value).join("\n")) {
      this.metric.replaceChildren(...names.map((name) => h("option", { value: name }, name || "a metric")));
    }
    this.both.disabled = this.chosen.length !== 2;
  }

  rows(found) {
    const { params, metrics } = found.columns;
    const columns = [["", ""], ["run", ""], ["began (UTC)", "began"], ["status", "status"], ["kind", "kind"], ["took", "seconds"],
      ...params.map((name) => [name, `params:${name}`]), ...metrics.map((name) => [name, `metrics:${name}`]), ["MLflow", ""]];
    const head = columns.map(([name, sort]) => h("th", { scope: "col", "aria-sort": sort && sort === this.asked.sort ? (this.asked.down ? "descending" : "ascending") : null },
      sort ? h("button", { type: "button", class: "p2p-sort", onclick: () => this.load({ sort, down: sort === this.asked.sort ? !this.asked.down : true, page: 0 }) }, name, sort === this.asked.sort ? (this.asked.down ? " ↓" : " ↑") : "")
        : name || h("span", { class: "p2p-hidden" }, "compare")));
    const body = found.rows.map((row) => h("tr", { "data-run": row.key }, [
      h("input", { type: "checkbox", "aria-label": `compare run ${row.id.slice(0, 8)}`, onchange: (event) => this.pick(row.key, event.currentTarget.checked) }),
      h("code", { title: row.id }, row.id.slice(0, 8)), row.began, h("span", { class: "p2p-state", "data-status": row.status, title: row.error }, row.status), row.kind, seconds(row.seconds),
      ...params.map((name) => row.params[name] ?? ""), ...metrics.map((name) => short(row.metrics[name])), this.inMlflow(row),
    ].map((cell) => h("td", {}, cell))));
    for (const row of body) row.querySelector("input").checked = this.chosen.includes(row.dataset.run);
    const pages = found.pages > 1 ? h("div", { class: "p2p-bar" },
      h("button", { type: "button", disabled: found.page === 0, onclick: () => this.load({ page: found.page - 1 }) }, "Newer page"),
      h("span", {}, found.whole ? `page ${found.page + 1} of ${found.pages}` : `page ${found.page + 1}`),
      h("button", { type: "button", disabled: found.page === found.pages - 1, onclick: () => this.load({ page: found.page + 1 }) }, "Next page")) : null;
    this.list.replaceChildren(h("div", { class: "p2p-scroll", tabindex: 0, role: "region", "aria-label": "Runs" },
      h("table", {}, h("caption", { class: "p2p-hidden" }, "Runs of this notebook"), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body))), pages ?? "");
  }

  pick(key, taken) {
    this.chosen = taken ? [...this.chosen, key].slice(-2) : this.chosen.filter((one) => one !== key);
    for (const row of this.list.querySelectorAll("tr[data-run]")) row.querySelector("input").checked = this.chosen.includes(row.dataset.run);
    this.both.disabled = this.chosen.length !== 2;
  }

  /** What opens a run in MLflow's UI: a button, and a link once that is known to answer. It outlives a new list of runs. */
  inMlflow(row) {
    if (!this.opened.has(row.key)) {
      const place = h("span", { class: "p2p-mlflow" });
      const button = h("button", { type: "button", class: "p2p-link", "aria-label": `Open run ${row.id.slice(0, 8)} in MLflow`, onclick: () => this.openIn(place, button, row) }, "Open in MLflow");
      place.append(button);
      this.opened.set(row.key, place);
    }
    return this.opened.get(row.key);
  }

  async openIn(place, button, row) {
    const tell = (text) => { place.replaceChildren(button, h("span", { class: "p2p-quiet" }, ` ${text}`)); this.say(text); };
    const focused = button === this.root.getRootNode().activeElement;
    button.disabled = true;
    tell("MLflow's UI is starting; that takes about ten seconds");
    const answer = await this.kernel.ask("mlflow", { run: row.key });
    button.disabled = false;
    const link = answer.problem ? null : webLink(answer.address, `${row.id.slice(0, 8)} in MLflow`);
    if (!link) return tell(answer.problem ?? "MLflow's UI has no address that could be opened");
    place.replaceChildren(link);
    if (focused) link.focus();
    this.say("The link to the run in MLflow is ready");
  }

  async compare() {
    const [first, second] = this.chosen;
    const told = await this.kernel.ask("compare", { first, second });
    if (told.problem) return this.say(told.problem);
    const rows = told.differences.map((one) => [one.what, one.name, one.before, one.after]);
    const words = `${told.before.id.slice(0, 8)} and ${told.after.id.slice(0, 8)}: ${rows.length || "no"} difference${rows.length === 1 ? "" : "s"}, ${told.equal} equal value${told.equal === 1 ? "" : "s"}`;
    this.below.replaceChildren(h("h3", {}, words), rows.length ? table("Differences", ["what", "name", "before", "after"], rows) : "");
    this.say(words);
  }

  async plot() {
    if (!this.metric.value) return this.below.replaceChildren();
    const { points, metric } = await this.kernel.ask("plot", { ...this.asked, metric: this.metric.value });
    this.below.replaceChildren(h("h3", {}, `${metric} over ${points.length} runs`), chart(metric, points));
  }
}

function chart(metric, points) {
  const [width, height, left, edge] = [640, 220, 64, 22];
  const all = points.map((point) => point.value).filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (at) => left + (points.length < 2 ? 0.5 : at / (points.length - 1)) * (width - left - edge);
  const y = (value) => height - edge - (high === low ? 0.5 : (value - low) / (high - low)) * (height - 2 * edge);
  const good = points.map((point, at) => ({ ...point, at })).filter((point) => Number.isFinite(point.value));
  const line = good.map((point, n) => `${n ? "L" : "M"}${x(point.at)} ${y(point.value)}`).join(" ");
  return s("svg", { class: "p2p-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${metric} from ${short(low)} to ${short(high)}` },
    [low, high].map((value) => s("text", { class: "p2p-axis", x: left - 8, y: y(value) + 4, "text-anchor": "end" }, short(value))),
    s("path", { class: "p2p-line", d: line }),
    good.map((point) => s("circle", { class: "p2p-dot", cx: x(point.at), cy: y(point.value), r: 4 }, s("title", {}, `${point.id.slice(0, 8)}: ${short(point.value)}`))));
}

class ShipTab {
  constructor(kernel, root, at, say, id) {
    Object.assign(this, { kernel, root, say });
    this.standing = h("div");
    this.answer = h("div");
    this.reason = h("input", { type: "text", id: `${id}-version`, size: 12, placeholder: "name@2" });
    this.other = h("input", { type: "text", id: `${id}-other`, size: 12, placeholder: "name@1" });
    this.buttons = [
      h("button", { type: "button", class: "p2p-main", onclick: () => this.ship("export", []) }, "Export"),
      h("button", { type: "button", onclick: () => this.ship("diff", [this.other.value, this.reason.value]) }, "Show differences"),
      h("button", { type: "button", onclick: () => this.ship("promote", [this.reason.value]) }, "Promote"),
    ];
    at.append(this.standing, h("div", { class: "p2p-bar" }, this.buttons[0], h("label", { for: `${id}-version` }, "Version"), this.reason, this.buttons[2],
      h("label", { for: `${id}-other` }, "against"), this.other, this.buttons[1]), this.answer,
      h("section", { "aria-label": "Readiness" }, h("h3", {}, "Readiness"), h("p", { class: "p2p-quiet" }, "No checks have been made of this notebook.")));
  }

  async open() {
    const found = await this.kernel.ask("standing");
    if (found.problem) return this.standing.replaceChildren(h("p", {}, found.problem));
    const rows = found.rows.map((row) => [row.name, row.version, row.promoted, row.good, row.drift]);
    this.standing.replaceChildren(rows.length ? table("Versions", ["pipeline", "newest", "promoted", "last good run", "drift"], rows)
      : h("p", { class: "p2p-quiet" }, "Not exported yet. Export proves a module equal to this notebook, and writes it."));
    const newest = found.rows[0];
    if (newest?.version && !this.reason.value) this.reason.value = `${newest.name}@${newest.version}`;
    if (newest?.version > 1 && !this.other.value) this.other.value = `${newest.name}@${newest.version - 1}`;
  }

  async ship(command, words) {
    for (const button of this.buttons) button.disabled = true;
    this.answer.replaceChildren(h("p", { class: "p2p-lead" }, `p2p ${command} is at work`));
    this.say(`p2p ${command} is at work`);
    const told = await this.kernel.ask("ship", { command, arguments: words.filter(Boolean) });
    for (const button of this.buttons) button.disabled = false;
    this.answer.replaceChildren(...this.shown(command, told));
    this.say(told.problem ?? `p2p ${command} is done`);
    await this.open();
  }

  shown(command, told) {
    if (told.problem) {
      return [h("p", { class: "p2p-error", role: "alert" }, withCells(this.root, told.problem)),
        h("ul", { class: "p2p-findings" }, (told.findings ?? []).map((one) => h("li", {}, one.cell ? [cellButton(this.root, one.cell), " "] : null, h("b", {}, withCells(this.root, one.where)), " ", withCells(this.root, one.what), h("p", {}, withCells(this.root, one.why)), h("p", { class: "p2p-cure" }, withCells(this.root, one.cure)))))];
    }
    const answer = told.answer;
    if (command !== "export") return [h("pre", { class: "p2p-code", tabindex: 0 }, JSON.stringify(answer, null, 2))];
    const rows = answer.values.map((one) => [one.step, one.value, one.verdict, one.detail ?? ""]);
    const what = answer.written ? `${answer.pipeline} v${answer.version} is written (${answer.change})` : `Nothing to write: ${answer.pipeline} v${answer.version} is of this notebook`;
    return [h("p", { class: "p2p-lead" }, what), table("Values held against the notebook's", ["step", "value", "verdict", ""], rows), h("ul", {}, answer.notes.map((note) => h("li", {}, note)))];
  }
}

function render({ model, el }) {
  const id = `p2p-${++panels}`;
  const kernel = new Kernel(model);
  const status = h("div", { class: "p2p-hidden", role: "status", "aria-live": "polite" });
  const say = (text) => { status.textContent = text; };
  const made = {};
  const tabs = new Tabs(["Steps", "Parameters", "Runs", "Ship"], id, (name) => made[name]?.open());
  const root = h("section", { class: "p2p-panel", "aria-label": "p2p" },
    h("div", { role: "tablist", "aria-label": "p2p" }, tabs.tabs), tabs.panels, status);
  el.append(root);
  made.Steps = new StepsTab(kernel, root, tabs.panel("Steps"), say);
  made.Parameters = new ParametersTab(kernel, root, tabs.panel("Parameters"), say, id);
  made.Runs = new RunsTab(kernel, root, tabs.panel("Runs"), say, id);
  made.Ship = new ShipTab(kernel, root, tabs.panel("Ship"), say, id);
  tabs.open("Steps");
  // Keys that are meant for the page must not command the notebook around it.
  root.addEventListener("keydown", (event) => event.stopPropagation());
  return () => root.remove();
}

export default { render };
