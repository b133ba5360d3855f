// A page that tarn map --live serves. A new snapshot is a new page, on which one looks at the same place: what was shown
// goes along behind the # of the address.
import { button, make } from "./dom";

export interface View { mode: string; order: string; tab: string; place: [x: number, y: number, scale: number] | null }

export function offerSnapshots(seconds: number, view: () => View): void {
  const renew = (): void => {
    const { mode, order, tab, place } = view();
    location.href = `new#${[mode, order, tab, ...(place ?? []).map((value) => value.toFixed(4))].join(",")}`;
  };
  const renewal = button("↻", renew, { title: "Take a new snapshot of the process", "aria-label": "New snapshot" });
  renewal.append(make("span", { class: "roomy" }, " New snapshot"));
  document.querySelector("nav")?.prepend(renewal);
  if (seconds > 0) {
    setInterval(() => {
      if (document.visibilityState === "visible") {
        renew();
      }
    }, seconds * 1000);
  }
}

// What the page before this one showed.
export function viewBefore(): View {
  const [mode = "", order = "", tab = "", ...rest] = location.hash.slice(1).split(",");
  const [x, y, scale] = rest.map(Number);
  return { mode, order, tab, place: rest.length === 3 && [x, y, scale].every(Number.isFinite) ? [x, y, scale] : null };
}
