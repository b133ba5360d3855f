// Into what lies at a point of the map, a step at a time: the arena, then the pool, then the block.
import type { Camera } from "./camera";
import { type Layout, type Rectangle, hitAt, slotRectangle } from "./layout";

export const blockPixels = 260;  // the side of a block that one has gone to

function boxRectangle(layout: Layout, box: number): Rectangle {
  const [x, y, width, height] = layout.boxes.rectangles.subarray(box * 4, box * 4 + 4);
  return { x, y, width, height };
}

export function goCloser(camera: Camera, layout: Layout, x: number, y: number): void {
  const hit = hitAt(layout, x, y);
  const place = layout.arenas.find(({ arena }) => arena === hit.arena);
  const fills = (width: number): boolean => width * camera.scale > Math.min(camera.width, camera.height) * 0.6;
  // Between the pools of an arena: the nearest.
  if (place !== undefined && hit.box < 0) {
    let nearest = Infinity;
    for (let box = place.firstBox; box < place.firstBox + place.boxes; ++box) {
      const r = boxRectangle(layout, box);
      const distance = Math.hypot(x - r.x - r.width / 2, y - r.y - r.height / 2);
      if (distance < nearest) {
        nearest = distance;
        hit.box = box;
      }
    }
  }
  if (place !== undefined && !fills(place.width)) {
    camera.flyTo(place);
  } else if (hit.box >= 0 && !fills(boxRectangle(layout, hit.box).width)) {
    camera.flyTo(boxRectangle(layout, hit.box));
  } else if (hit.slot >= 0) {
    const block = slotRectangle(layout, hit.slot);
    camera.flyTo(block, blockPixels / block.width);
  } else {
    camera.zoom(2, ...camera.toScreen(x, y));
  }
}
