// The panel's tab Why: where the resident memory is, and the answers, each of which highlights its blocks.
import { button, make } from "./dom";
import { type Grouping, groupings } from "./groups";
import type { Frame, Heap } from "./heap";
import type { Actions } from "./panel";
import { bytesText, countText } from "./text";
import { type Answer, type HolderShare, type SiteShare, type Why, idsOf, whyMemoryStays, whyNot } from "./why";

const mostNamed = 3;

// As tarn why has them: what of the resident memory is what.
const parts: Record<string, { name: string; colour: string }> = {
  live: { name: "live blocks", colour: "#0072b2" },
  pinned: { name: "pinned", colour: "#e69f00" },
  large: { name: "large blocks", colour: "#009e73" },
  free: { name: "free, can go", colour: "#f0e442" },
  descriptors: { name: "descriptors", colour: "#56b4e9" },
  other_heaps: { name: "other heaps", colour: "#cc79a7" },
  files: { name: "files", colour: "#aab2bd" },
  stacks: { name: "stacks", colour: "#8a6fc0" },
  rest: { name: "the rest", colour: "#8b93a0" },
};

function balance(why: Why): Node[] {
  const shown = Object.entries(why.parts).filter(([key, bytes]) => bytes > 0 && key in parts);
  const bar = make("div", { class: "balance", "aria-hidden": "true" });
  const list = make("ul", { class: "parts" });
  for (const [key, bytes] of shown) {
    const { name, colour } = parts[key];
    const part = make("i", { title: `${name}: ${bytesText(bytes)}` });
    part.style.setProperty("flex-grow", String(bytes));
    part.style.setProperty("background", colour);
    bar.append(part);
    const swatch = make("i", { class: "swatch" });
    swatch.style.setProperty("background", colour);
    list.append(make("li", {}, swatch, make("span", {}, name), make("b", {}, bytesText(bytes))));
  }
  return shown.length > 0 ? [bar, list] : [];
}

function returnsText(least: number, most: number): string {
  return bytesText(least) === bytesText(most) ? bytesText(least) : `${bytesText(least)} to ${bytesText(most)}`;
}

function whatText({ type, objects, objects_of_type, container }: Answer): string {
  const isOne = objects === 1;
  const what = type === "unknown" ? `${countText(objects)} block${isOne ? "" : "s"} of which nothing is known`
    : objects_of_type === objects ? `${countText(objects)} ${isOne ? "object" : "objects"} of type ${type}`
    : `${countText(objects)} objects (${countText(objects_of_type)} of type ${type})`;
  return container === undefined ? what
    : `${what} and the ${container.objects === 1 ? "" : `${countText(container.objects)} `}${container.type} they are in`;
}

function lineText({ function: name, file, line }: Frame): string {
  return `${file}:${line} in ${name}`;
}

// As `tarn why` says it: the line, and if that is a library's, the program's own that led to it.
function placeText({ frames, own, has_no_room }: SiteShare): string {
  const [first] = frames;
  return first === undefined ? (has_no_room === true ? "a place for which there was no room" : "no line of Python")
    : own !== undefined && own > 0 ? `${lineText(first)}, for ${lineText(frames[own])}` : lineText(first);
}

// Short, for a heading: the program's own line.
function placeName(site: SiteShare | undefined): string {
  const frame = site?.frames[site.own ?? 0];
  return frame !== undefined ? `${frame.function} (${frame.file.split("/").pop() ?? ""}:${frame.line})`
    : site === undefined ? "an unknown place" : placeText(site);
}

function holderText({ name, kind }: HolderShare): string {
  return name !== "" ? name : kind === "none" ? "nothing known: C code, or the interpreter" : kind;
}

function heldBy({ holders, chain }: Answer): string {
  const [first, ...others] = holders;
  if (first === undefined) {
    return "";
  }
  const way = [holderText(first), ...chain].join(" → ");
  return others.length === 0 ? way
    : `${way}, ${countText(first.objects)} of them; ${others.slice(0, mostNamed - 1).map((other) => `${countText(other.objects)} by ${holderText(other)}`).join("; ")}`;
}

const nearlyAll = 0.995;
function sitesText(sites: SiteShare[]): string {
  return sites.slice(0, mostNamed).map((site) =>
    `${placeText(site)}${site.share < nearlyAll ? ` (${Math.round(100 * site.share)} %)` : ""}`).join("; ");
}

function nameOf(answer: Answer, grouping: Grouping): string {
  switch (grouping) {
    case "type": return answer.type;
    case "holder": return answer.holders[0] === undefined ? answer.type : holderText(answer.holders[0]);
    case "site": return placeName(answer.sites[0]);
  }
}

function details(answer: Answer, grouping: Grouping): Node[] {
  const { whole } = answer;
  const rows: [string, string][] = [
    ["allocated at", grouping === "site" ? (answer.sites[0]?.frames ?? []).slice(0, 4).map(lineText).join(" ← ") : sitesText(answer.sites)],
    ["held by", heldBy(answer)],
    ["others too", answer.is_shared ? answer.shared_with.slice(0, mostNamed).map(holderText).join("; ") || "let go of all of them" : ""],
    ["with them go", `${bytesText(answer.freed_bytes)}: ${answer.frees.map(({ objects, type, bytes }) => `${countText(objects)} ${type} (${bytesText(bytes)})`).join(", ")}`],
    ["all of it", whole !== undefined && whole.returns > answer.returns ? `${returnsText(whole.returns, whole.returns_at_most)} if the ${whole.type} goes, or is emptied` : ""],
    ["others keep", answer.pages > answer.returns ? `${bytesText(answer.pages - answer.returns)} of the ${bytesText(answer.pages)} that these lie in` : ""],
  ];
  return rows.filter(([, text]) => text !== "").map(([name, text]) => make("small", {}, make("span", { class: "label" }, name), " ", text));
}

function answerButton(answer: Answer, id: string, grouping: Grouping, most: number, actions: Actions): HTMLElement {
  const first = make("i");
  first.style.setProperty("width", `${(100 * answer.returns) / most}%`);
  const second = make("i", { class: "second" });
  second.style.setProperty("width", `${(100 * answer.pages) / most}%`);
  const name = nameOf(answer, grouping);
  const choice = { by: "answer" as const, grouping, id };
  const isPressed = actions.isHighlighted(choice);
  const element = button("", () => actions.toggleHighlight(name, choice), { class: "answer", "aria-pressed": String(isPressed) });
  element.append(
    make("span", { class: "row" }, make("b", {}, name), make("span", {}, bytesText(answer.returns))),
    make("span", { class: "meter", "aria-hidden": "true" }, second, first),
    make("small", {}, `${whatText(answer)} ${answer.objects === 1 ? "pins" : "pin"} ${returnsText(answer.returns, answer.returns_at_most)}`),
    // What is behind it is told of the one that is looked at.
    ...(isPressed ? details(answer, grouping) : []));
  return element;
}

export function whyContent(heap: Heap, grouping: Grouping, actions: Actions): Node[] {
  const why = whyMemoryStays(heap, grouping);
  const totals = why ?? whyMemoryStays(heap, "holder");
  const heading = make("h2", {}, `Why memory stays: ${bytesText(heap.names.resident[heap.ordinal])}`);
  const choice = make("div", { class: "segments", role: "group", "aria-label": "Group by" }, ...groupings.map(({ grouping: word, name }) =>
    button(name, () => actions.showWhy(word), { "aria-pressed": String(word === grouping) })));
  const above = [heading, ...(totals === null ? [] : balance(totals)), choice];
  if (why === null) {
    return [...above, make("p", {}, whyNot(heap, grouping))];
  }
  if (why.answers.length === 0) {
    return [...above, make("p", {}, "Nothing that could be let go of would give a page back.")];
  }
  const most = Math.max(1, ...why.answers.map(({ pages }) => pages));
  const { together } = why;
  const ids = idsOf(why, grouping);
  return [
    ...above,
    make("p", {}, "What would return the most if it went: a page goes back when no live block lies in it. Press one to see its blocks."),
    ...why.answers.map((answer, at) => answerButton(answer, ids[at], grouping, most, actions)),
    ...(why.answers.length > 1 ? [make("p", {}, `All of these together: ${returnsText(together.returns, together.returns_at_most)}.`)] : []),
    ...(why.has_more ? [make("p", {}, "There are more: tarn why -n 100.")] : []),
    ...(why.answers.every((answer) => answer.returns === answer.returns_at_most) ? [] : [make("p", {}, "Where two figures stand, the snapshot doesn't tell all references: tarn snapshot --references makes one that does.")]),
  ];
}
