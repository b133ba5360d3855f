// The legend below the map: the shapes of a block's states, and what each colour says. A press highlights its blocks.
import { type Colouring, type Entry, modes } from "./colours";
import { byId, make } from "./dom";
import { bytesText, plural } from "./text";

export function fillLegend(colours: Colouring, isPressed: (entry: Entry) => boolean, press: (entry: Entry) => void): void {
  const legend = byId("legend");
  const { name, says } = modes.find(({ mode }) => mode === colours.mode) ?? modes[0];
  legend.title = `${name}: ${says}`;
  legend.replaceChildren(make("div", { class: "shapes" }, ...(["allocated", "free", "untouched"] as const).map((state) =>
    make("span", {}, make("i", { class: `shape ${state}` }), state))));
  for (const entry of colours.entries) {
    const swatch = make("i", { class: "swatch" });
    swatch.style.setProperty("background", entry.colour);
    const element = make("button", {
      title: `${entry.label}: ${plural(entry.blocks, "block")}`, "aria-pressed": String(isPressed(entry)), on: () => press(entry),
    }, swatch, entry.label, make("span", { class: "amount" }, bytesText(entry.bytes)));
    element.type = "button";
    legend.append(element);
  }
}
