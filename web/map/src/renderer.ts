// Draws what is in sight with three calls, whether the heap has a thousand blocks or a million:
//
//   arenas   a rectangle each, in which a pixel's pool is looked up: the mean colour of its blocks
//   flat     large blocks, and objects outside of Tarn, that are too small for more: a rectangle each
//   blocks   over them, the pools whose blocks are larger than a pixel: a rectangle each, in which a pixel's block is
//            looked up in a texture with a texel for each slot
//
// So a frame costs what the window has pixels.
import { createProgramInfo, type ProgramInfo, setUniforms } from "twgl.js";
import type { Camera } from "./camera";
import { type Colouring, channels } from "./colours";
import { type Heap, State } from "./heap";
import { type Layout, gapOfPools } from "./layout";
import type { Theme } from "./theme";

const textureWidth = 4096;
const leastCell = 1.2;        // pixels of the canvas: below that blocks aren't told apart
const leastEmptyBox = 14;     // below that an empty pool has no edge
const meansWidth = 1024;
const dimmed = 0.17;          // what isn't highlighted

const corners = `
  vec2 at = rectangle.xy + corner * rectangle.zw;
  gl_Position = vec4((at - view.xy) * view.z / size * vec2(2.0, -2.0), 0.0, 1.0);`;

const flatVertex = `#version 300 es
in vec2 corner;
in vec4 rectangle;
in vec4 mean;
uniform vec4 view;   // centre of the map, pixels per unit
uniform vec2 size;   // of the canvas, in pixels
flat out vec4 average;
void main() {${corners}
  average = mean;
}`;

const flatFragment = `#version 300 es
precision mediump float;
flat in vec4 average;
out vec4 colour;
void main() { colour = average; }`;

const arenasVertex = `#version 300 es
in vec2 corner;
in vec4 rectangle;
in ivec4 grid;       // first box, boxes, columns, rows
uniform vec4 view;
uniform vec2 size;
out vec2 inside;
flat out ivec4 pools;
flat out float gap;  // between two pools, in pixels
void main() {${corners}
  inside = corner * vec2(grid.zw);
  pools = grid;
  gap = rectangle.z * view.z / float(max(grid.z, 1)) * ${(gapOfPools / (1 + gapOfPools)).toFixed(4)};
}`;

const arenasFragment = `#version 300 es
precision highp float;
precision highp int;
in vec2 inside;
flat in ivec4 pools;
flat in float gap;
uniform sampler2D means;
uniform vec3 background;
out vec4 colour;
void main() {
  ivec2 place = min(ivec2(inside), pools.zw - 1);
  int index = place.y * pools.z + place.x;
  vec2 part = inside - vec2(place);
  int box = pools.x + min(index, pools.y - 1);
  vec3 mean = texelFetch(means, ivec2(box & ${meansWidth - 1}, box >> 10), 0).rgb;
  // A gap thinner than a pixel is as much of every pixel as of all: none is drawn by chance.
  float isGap = mix(${gapOfPools.toFixed(2)} * 2.0, step(${(1 / (1 + gapOfPools)).toFixed(4)}, max(part.x, part.y)), smoothstep(0.6, 1.0, gap));
  colour = vec4(mix(mean, background, index >= pools.y ? 1.0 : isGap), 1.0);
}`;

const blocksVertex = `#version 300 es
in vec2 corner;
in vec4 rectangle;
in ivec4 grid;
in vec4 mean;
in float state;
uniform vec4 view;
uniform vec2 size;
out vec2 inside;
flat out ivec4 blocks;
flat out vec4 average;
flat out vec4 shape;   // pixels of the box, pixels of a block's shorter side, the pool's state
void main() {${corners}
  inside = corner;
  blocks = grid;
  average = mean;
  vec2 pixels = rectangle.zw * view.z;
  vec2 cell = pixels / vec2(max(grid.zw, ivec2(1)));
  shape = vec4(pixels, min(cell.x, cell.y), state);
}`;

const blocksFragment = `#version 300 es
precision highp float;
precision highp int;
in vec2 inside;
flat in ivec4 blocks;
flat in vec4 average;
flat in vec4 shape;
uniform sampler2D slots;   // a slot's colour, and in alpha its state
uniform vec3 ground;
uniform vec3 line;
out vec4 colour;
void main() {
  if (blocks.y == 0) {
    // An empty pool has an edge, an untouched one is hatched.
    vec2 at = inside * shape.xy;
    float edge = min(min(at.x, shape.x - at.x), min(at.y, shape.y - at.y));
    float hatch = step(0.5, fract((at.x + at.y) / 7.0));
    colour = vec4(mix(ground, line, shape.w < 0.5 ? 0.16 + 0.10 * hatch : 0.10 + 0.5 * (1.0 - step(1.0, edge))), 1.0);
    return;
  }
  vec2 cell = inside * vec2(blocks.zw);
  ivec2 place = min(ivec2(cell), blocks.zw - 1);
  int index = place.y * blocks.z + place.x;
  if (index >= blocks.y) {
    colour = vec4(ground, 1.0);
    return;
  }
  int slot = blocks.x + index;
  vec4 texel = texelFetch(slots, ivec2(slot & ${textureWidth - 1}, slot >> 12), 0);
  float least = shape.z;
  vec2 part = fract(cell);
  part = min(part, 1.0 - part) * shape.xy / vec2(blocks.zw);
  float edge = min(part.x, part.y);
  float gap = least < 5.0 ? 0.0 : min(2.0, least * 0.06);
  vec3 near = texel.rgb;
  if (texel.a < 0.75) {
    if (texel.a > 0.25) {
      // Free: hollow, so that the state is told by shape too.
      float rim = least < 6.0 ? 0.0 : clamp(least * 0.09, 1.0, 5.0);
      near = mix(ground, near, edge < gap + rim ? 0.62 : 0.20);
    } else {
      near = mix(ground, line, least < 6.0 ? 0.12 : edge < gap + 1.0 ? 0.30 : 0.06);
    }
    // What isn't allocated keeps a trace of the pool's colour until its blocks can be told apart.
    near = mix(near, average.rgb, 0.75 * (1.0 - smoothstep(2.0, 16.0, least)));
  }
  near = edge < gap ? ground : near;
  colour = vec4(mix(average.rgb, near, smoothstep(${leastCell.toFixed(1)}, 2.2, least)), 1.0);
}`;

interface Part { values: ArrayBufferView; size: number; type: number; normalised: boolean }

// A program, and the boxes that it draws in this frame.
class Pass {
  private readonly array: WebGLVertexArrayObject;
  private readonly buffers = new Map<string, WebGLBuffer>();

  constructor(private readonly gl: WebGL2RenderingContext, readonly program: ProgramInfo) {
    this.array = gl.createVertexArray() as WebGLVertexArrayObject;
    this.set("corner", { values: new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), size: 2, type: gl.FLOAT, normalised: false }, 0);
  }

  set(name: string, { values, size, type, normalised }: Part, divisor = 1): void {
    const { gl } = this;
    const location = gl.getAttribLocation(this.program.program, name);
    const buffer = this.buffers.get(name) ?? (gl.createBuffer() as WebGLBuffer);
    this.buffers.set(name, buffer);
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(location);
    if (type === gl.INT) {
      gl.vertexAttribIPointer(location, size, type, 0, 0);
    } else {
      gl.vertexAttribPointer(location, size, type, normalised, 0, 0);
    }
    gl.vertexAttribDivisor(location, divisor);
  }

  draw(uniforms: Record<string, unknown>, boxes: number): void {
    const { gl, program } = this;
    gl.useProgram(program.program);
    gl.bindVertexArray(this.array);
    setUniforms(program, uniforms);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, boxes);
  }
}

export class Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly flat: Pass;
  private readonly blocks: Pass;
  private readonly arenas: Pass;
  private readonly slotsTexture: WebGLTexture;
  private readonly meansTexture: WebGLTexture;
  private texels = new Uint8Array(0);
  private means = new Uint8Array(0);
  private layout: Layout | null = null;
  // Of the boxes in sight, those drawn flat from the start on, the others from the end.
  private inSight = new Uint32Array(0);

  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, depth: false, powerPreference: "high-performance" });
    if (gl === null) {
      throw new Error("This browser has no WebGL 2, which the map is drawn with. Any browser since 2022 has it, unless it is switched off.");
    }
    this.gl = gl;
    this.flat = new Pass(gl, createProgramInfo(gl, [flatVertex, flatFragment]));
    this.blocks = new Pass(gl, createProgramInfo(gl, [blocksVertex, blocksFragment]));
    this.arenas = new Pass(gl, createProgramInfo(gl, [arenasVertex, arenasFragment]));
    this.slotsTexture = this.texture();
    this.meansTexture = this.texture();
  }

  private texture(): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture() as WebGLTexture;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.NEAREST], [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ]) {
      gl.texParameteri(gl.TEXTURE_2D, name, value);
    }
    return texture;
  }

  setLayout(layout: Layout): void {
    this.layout = layout;
    this.inSight = new Uint32Array(layout.boxes.count);
    const { arenas } = layout;
    const rectangles = new Float32Array(arenas.length * 4);
    const grids = new Int32Array(arenas.length * 4);
    arenas.forEach((place, i) => {
      const [x, y, width] = layout.boxes.rectangles.subarray(place.firstBox * 4);
      const pitch = width * (1 + gapOfPools);
      const columns = Math.max(1, Math.ceil(Math.sqrt(place.boxes)));
      const rows = Math.ceil(place.boxes / columns);
      if (place.boxes > 0) {
        rectangles.set([x, y, columns * pitch, rows * pitch], i * 4);
        grids.set([place.firstBox, place.boxes, columns, rows], i * 4);
      }
    });
    const { gl } = this;
    this.arenas.set("rectangle", { values: rectangles, size: 4, type: gl.FLOAT, normalised: false });
    this.arenas.set("grid", { values: grids, size: 4, type: gl.INT, normalised: false });
  }

  // The colours of all slots, and of each pool their mean, in which few highlighted blocks are still seen.
  setColours(heap: Heap, layout: Layout, colouring: Colouring, highlighted: Uint8Array | null, theme: Theme): void {
    const { gl } = this;
    const height = Math.max(1, Math.ceil(heap.slots / textureWidth));
    if (height > gl.getParameter(gl.MAX_TEXTURE_SIZE)) {
      throw new Error("This browser's WebGL can't hold so many blocks.");
    }
    if (this.texels.length !== height * textureWidth * 4) {
      this.texels = new Uint8Array(height * textureWidth * 4);
    }
    const palette = new Uint8Array(256 * 3).fill(128);
    for (const entry of colouring.entries) {
      palette.set(channels(entry.colour), entry.index * 3);
    }
    this.setMeans(heap, layout, colouring, highlighted, theme, palette);
    const { texels } = this;
    const alphas = [0, 255, 128, 0];
    for (let slot = 0; slot < heap.slots; ++slot) {
      const from = colouring.indices[slot] * 3;
      const to = slot * 4;
      const isDim = highlighted !== null && highlighted[slot] === 0;
      for (let i = 0; i < 3; ++i) {
        texels[to + i] = isDim ? theme.ground[i] + dimmed * (palette[from + i] - theme.ground[i]) : palette[from + i];
      }
      texels[to + 3] = alphas[heap.state[slot] & 3];
    }
    gl.bindTexture(gl.TEXTURE_2D, this.slotsTexture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, textureWidth, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  private setMeans(
    heap: Heap, layout: Layout, colouring: Colouring, highlighted: Uint8Array | null, theme: Theme, palette: Uint8Array,
  ): void {
    const { grid, states, count } = layout.boxes;
    const height = Math.max(1, Math.ceil(count / meansWidth));
    this.means = new Uint8Array(meansWidth * height * 4);
    for (let box = 0; box < count; ++box) {
      const first = grid[box * 4];
      const blocks = grid[box * 4 + 1];
      let red = 0, green = 0, blue = 0, live = 0, free = 0, lit = 0, litRed = 0, litGreen = 0, litBlue = 0;
      for (let slot = first; slot < first + blocks; ++slot) {
        const at = colouring.indices[slot] * 3;
        const state = heap.state[slot] & 3;
        if (state === State.allocated) {
          ++live;
          red += palette[at];
          green += palette[at + 1];
          blue += palette[at + 2];
        } else if (state === State.free) {
          ++free;
        }
        if (highlighted !== null && highlighted[slot] !== 0) {
          ++lit;
          litRed += palette[at];
          litGreen += palette[at + 1];
          litBlue += palette[at + 2];
        }
      }
      const all = Math.max(1, blocks);
      // Few live blocks pin a pool as many do: they are seen more than their share.
      const strength = live === 0 ? 0 : 0.25 + 0.75 * (live / all) ** 0.6;
      const hollow = blocks === 0 ? (states[box] === 0 ? 0.2 : 0.12) : (0.3 * free) / all;
      let colour = [red, green, blue].map((sum, i) => {
        const ground = theme.ground[i] + hollow * (theme.line[i] - theme.ground[i]);
        return live === 0 ? ground : ground + strength * (sum / live - ground);
      });
      if (highlighted !== null && blocks > 0) {
        // A single one among a thousand is seen still.
        const share = lit === 0 ? 0 : 0.45 + (0.55 * lit) / all;
        const dim = colour.map((value, i) => theme.ground[i] + dimmed * (value - theme.ground[i]));
        colour = [litRed, litGreen, litBlue].map((sum, i) => (lit === 0 ? dim[i] : (sum / lit) * share + dim[i] * (1 - share)));
      }
      this.means.set([colour[0], colour[1], colour[2], 255], box * 4);
    }
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.meansTexture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, meansWidth, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, this.means);
  }

  // Chooses the boxes of both passes; returns how many are flat, and where the others begin.
  private look(camera: Camera, scale: number): [flat: number, others: number] {
    const { rectangles, grid, pools, count } = (this.layout as Layout).boxes;
    const [left, top] = camera.toMap(0, 0);
    const [right, bottom] = camera.toMap(camera.width, camera.height);
    let flat = 0;
    let others = count;
    for (let box = 0; box < count; ++box) {
      const at = box * 4;
      const x = rectangles[at];
      const y = rectangles[at + 1];
      const width = rectangles[at + 2];
      const height = rectangles[at + 3];
      if (x > right || y > bottom || x + width < left || y + height < top) {
        continue;
      }
      const isFlat = grid[at + 1] === 0 ? width * scale < leastEmptyBox
        : Math.min(width / grid[at + 2], height / grid[at + 3]) * scale < leastCell;
      if (isFlat) {
        if (pools[box] < 0) {
          this.inSight[flat++] = box;  // the others are in their arena's rectangle
        }
      } else {
        this.inSight[--others] = box;
      }
    }
    return [flat, others];
  }

  draw(camera: Camera, theme: Theme): void {
    const { gl, canvas, layout } = this;
    if (layout === null) {
      return;
    }
    const share = (channel: number): number => channel / 255;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(share(theme.background[0]), share(theme.background[1]), share(theme.background[2]), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const scale = (camera.scale * canvas.width) / camera.width;
    const [flat, others] = this.look(camera, scale);
    const { rectangles, grid, states } = layout.boxes;
    const uniforms = { view: [camera.x, camera.y, scale, 0], size: [canvas.width, canvas.height] };
    const pick = <T extends Float32Array | Int32Array | Uint8Array>(from: T, to: T, boxes: Uint32Array, each: number): T => {
      for (let i = 0; i < boxes.length; ++i) {
        for (let k = 0; k < each; ++k) {
          to[i * each + k] = from[boxes[i] * each + k];
        }
      }
      return to;
    };
    const set = (pass: Pass, boxes: Uint32Array): void => {
      pass.set("rectangle", { values: pick(rectangles, new Float32Array(boxes.length * 4), boxes, 4), size: 4, type: gl.FLOAT, normalised: false });
      pass.set("mean", { values: pick(this.means, new Uint8Array(boxes.length * 4), boxes, 4), size: 4, type: gl.UNSIGNED_BYTE, normalised: true });
    };
    if (layout.arenas.length > 0) {
      this.arenas.draw({ ...uniforms, background: theme.background.map(share), means: this.meansTexture }, layout.arenas.length);
    }
    if (flat > 0) {
      set(this.flat, this.inSight.subarray(0, flat));
      this.flat.draw(uniforms, flat);
    }
    const rest = this.inSight.subarray(others, layout.boxes.count);
    if (rest.length > 0) {
      set(this.blocks, rest);
      this.blocks.set("grid", { values: pick(grid, new Int32Array(rest.length * 4), rest, 4), size: 4, type: gl.INT, normalised: false });
      this.blocks.set("state", { values: pick(states, new Uint8Array(rest.length), rest, 1), size: 1, type: gl.UNSIGNED_BYTE, normalised: false });
      this.blocks.draw({ ...uniforms, ground: theme.ground.map(share), line: theme.line.map(share), slots: this.slotsTexture }, rest.length);
    }
  }
}
