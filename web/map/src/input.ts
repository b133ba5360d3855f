// Fingers, mouse and wheel on the map.
import type { Camera } from "./camera";

export interface Listener {
  moved(): void;
  hovered(x: number, y: number): void;
  left(): void;
  pressed(x: number, y: number): void;
  pressedTwice(x: number, y: number): void;
}

const mostOfAPress = 5;  // pixels: beyond that it's a drag
const twiceMilliseconds = 320;

export function listen(stage: HTMLElement, surface: HTMLElement, camera: Camera, listener: Listener): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  let lastPress = { time: -1e9, x: 0, y: 0 };
  const place = (event: MouseEvent): { x: number; y: number } => {
    const bounds = stage.getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  };
  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) {
      return;
    }
    stage.focus({ preventScroll: true });
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    travelled = pointers.size > 1 ? mostOfAPress + 1 : 0;
  });
  surface.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (before === undefined) {
      listener.hovered(now.x, now.y);
      return;
    }
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled <= mostOfAPress) {
      return;
    }
    stage.classList.add("dragging");
    if (pointers.size === 1) {
      camera.pan(now.x - before.x, now.y - before.y);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1] ?? now;
      const factor = Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      camera.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      camera.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    pointers.set(event.pointerId, now);
    listener.moved();
  });
  const end = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) {
      return;
    }
    if (pointers.size > 0) {
      return;
    }
    stage.classList.remove("dragging");
    if (travelled > mostOfAPress || event.type === "pointercancel") {
      return;
    }
    const { x, y } = place(event);
    if (event.timeStamp - lastPress.time < twiceMilliseconds && Math.hypot(x - lastPress.x, y - lastPress.y) < 24) {
      lastPress.time = -1e9;
      listener.pressedTwice(x, y);
    } else {
      lastPress = { time: event.timeStamp, x, y };
      listener.pressed(x, y);
    }
  };
  surface.addEventListener("pointerup", end);
  surface.addEventListener("pointercancel", end);
  surface.addEventListener("pointerleave", () => listener.left());
  surface.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = place(event);
    const step = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    camera.zoom(Math.exp(-Math.max(-240, Math.min(240, event.deltaY * step)) * 0.0022), x, y);
    listener.moved();
  }, { passive: false });
}
