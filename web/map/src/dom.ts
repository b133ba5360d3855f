// Elements. Whatever a program called its types, variables and files goes into text nodes: there is no other way here.

type Child = Node | string | null;

export interface Attributes { class?: string; title?: string; role?: string; on?: (event: Event) => void; [name: `${"data" | "aria"}-${string}`]: string }

export function make<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      element.addEventListener("click", value as (event: Event) => void);
    } else {
      element.setAttribute(name, value as string);
    }
  }
  element.append(...children.filter((child): child is Node | string => child !== null));
  return element;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`the page has no element ${id}`);
  }
  return element as T;
}

// A button of text.
export function button(text: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const element = make("button", attributes, text);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}
