// Draws what is in sight with one call, whether the heap has a thousand blocks or a million:
//
//   area     a rectangle of boxes, row by row: an arena, in which each box is a pool, or one large block, or all that
//            lies outside of Tarn. Two triangles each.
//   box      a pixel's box follows from where in the area it lies. A texel has its grid of blocks and their mean
//            colour: what is seen of it from afar.
//   slot     where a block is larger than a pixel, its colour and state are a texel of another texture.
//
// So a frame costs what the window has pixels. A rectangle for each pool, as one might draw them, costs as much again as
// all pixels where the processor draws: SwiftShader begins anew for each instance.
import { createProgramInfo, type ProgramInfo, setUniforms } from "twgl.js";
import type { Camera } from "./camera";
import { type Colouring, channels } from "./colours";
import { type Heap, State } from "./heap";
import { type Layout, gapOfPools } from "./layout";
import type { Theme } from "./theme";

const slotsWidth = 4096;      // of the textures, in texels
const boxesWidth = 1024;
const leastCell = 1.2;        // pixels of the canvas: below that blocks aren't told apart
const leastEmptyBox = 14;     // below that an empty pool has no edge
const dimmed = 0.17;          // what isn't highlighted
const indicesOfArea = [0, 1, 2, 2, 1, 3];

const vertexShader = `#version 300 es
in vec2 place;       // of the area's corner, in units of the map
in vec2 cell;        // the same corner in boxes: 0 or columns, 0 or rows
in ivec4 grid;       // first box, boxes, columns, rows
in vec3 box;         // width and height, in units; of it and the gap behind it, the box's share
uniform vec4 view;   // centre of the map, pixels per unit
uniform vec2 size;   // of the canvas, in pixels
out vec2 inside;
flat out ivec4 boxesOfArea;
flat out vec4 shape; // pixels of a box, the box's share, pixels of the gap
void main() {
  gl_Position = vec4((place - view.xy) * view.z / size * vec2(2.0, -2.0), 0.0, 1.0);
  inside = cell;
  boxesOfArea = grid;
  shape = vec4(box.xy * view.z, box.z, box.x * view.z * (1.0 / box.z - 1.0));
}`;

const fragmentShader = `#version 300 es
precision highp float;
precision highp int;
precision highp isampler2D;
in vec2 inside;
flat in ivec4 boxesOfArea;
flat in vec4 shape;
uniform isampler2D boxes;  // first slot, blocks, columns | rows << 16, mean's red | green << 8 | blue << 16 | state << 24
uniform sampler2D slots;   // a slot's colour, and in alpha its state
uniform vec3 background;
uniform vec3 ground;
uniform vec3 line;
out vec4 colour;

// A block seen from close by.
vec3 near(vec2 at, ivec2 grid, ivec4 box, vec3 mean, float least) {
  vec2 cell = at * vec2(grid);
  ivec2 place = min(ivec2(cell), grid - 1);
  int index = place.y * grid.x + place.x;
  if (index >= box.y) {
    return ground;
  }
  int slot = box.x + index;
  vec4 texel = texelFetch(slots, ivec2(slot & ${slotsWidth - 1}, slot >> ${Math.log2(slotsWidth)}), 0);
  vec2 part = fract(cell);
  part = min(part, 1.0 - part) * shape.xy / vec2(grid);
  float edge = min(part.x, part.y);
  float gap = least < 5.0 ? 0.0 : min(2.0, least * 0.06);
  vec3 result = texel.rgb;
  if (texel.a < 0.75) {
    if (texel.a > 0.25) {
      // Free: hollow, so that the state is told by shape too.
      float rim = least < 6.0 ? 0.0 : clamp(least * 0.09, 1.0, 5.0);
      result = mix(ground, result, edge < gap + rim ? 0.62 : 0.20);
    } else {
      result = mix(ground, line, least < 6.0 ? 0.12 : edge < gap + 1.0 ? 0.30 : 0.06);
    }
    // What isn't allocated keeps a trace of the pool's colour until its blocks can be told apart.
    result = mix(result, mean, 0.75 * (1.0 - smoothstep(2.0, 16.0, least)));
  }
  return edge < gap ? ground : result;
}

void main() {
  ivec2 place = min(ivec2(inside), boxesOfArea.zw - 1);
  int index = place.y * boxesOfArea.z + place.x;
  vec2 at = (inside - vec2(place)) / shape.z;
  bool isBehind = max(at.x, at.y) >= 1.0;
  // A gap of a pixel or more is a gap.
  if (index >= boxesOfArea.y || (isBehind && shape.w >= 1.0)) {
    colour = vec4(background, 1.0);
    return;
  }
  int number = boxesOfArea.x + index;
  ivec4 box = texelFetch(boxes, ivec2(number & ${boxesWidth - 1}, number >> ${Math.log2(boxesWidth)}), 0);
  vec3 mean = vec3(box.w & 255, (box.w >> 8) & 255, (box.w >> 16) & 255) / 255.0;
  ivec2 grid = ivec2(box.z & 65535, (box.z >> 16) & 65535);
  vec2 cell = shape.xy / vec2(grid);
  float least = min(cell.x, cell.y);
  vec3 result = mean;
  bool isFlat = box.y == 0 ? shape.x < ${leastEmptyBox.toFixed(1)} : least < ${leastCell.toFixed(1)};
  if (!isFlat && !isBehind) {
    if (box.y == 0) {
      // An empty pool has an edge, an untouched one is hatched.
      vec2 pixel = at * shape.xy;
      float edge = min(min(pixel.x, shape.x - pixel.x), min(pixel.y, shape.y - pixel.y));
      float hatch = step(0.5, fract((pixel.x + pixel.y) / 7.0));
      result = mix(ground, line, (box.w >> 24) == 0 ? 0.16 + 0.10 * hatch : 0.10 + 0.5 * (1.0 - step(1.0, edge)));
    } else {
      result = mix(mean, near(at, grid, box, mean, least), smoothstep(${leastCell.toFixed(1)}, 2.2, least));
    }
  }
  // A gap thinner than a pixel is as much of every pixel as of all: none is drawn by chance.
  float thin = shape.z < 1.0 ? 2.0 * (1.0 - shape.z) : 0.0;
  float isGap = mix(thin, isBehind ? 1.0 : 0.0, smoothstep(0.6, 1.0, shape.w));
  colour = vec4(mix(result, background, isFlat || isBehind ? isGap : 0.0), 1.0);
}`;

export class Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: ProgramInfo;
  private readonly vertices: WebGLVertexArrayObject;
  private readonly buffers = new Map<string, WebGLBuffer>();
  private readonly indexBuffer: WebGLBuffer;
  private readonly slotsTexture: WebGLTexture;
  private readonly boxesTexture: WebGLTexture;
  private texels = new Uint8Array(0);
  private areas = new Float32Array(0);  // x, y, width, height
  private indices = new Uint32Array(0);

  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false, depth: false, powerPreference: "high-performance" });
    if (gl === null) {
      throw new Error("This browser has no WebGL 2, which the map is drawn with. Any browser since 2022 has it, unless it is switched off.");
    }
    this.gl = gl;
    this.program = createProgramInfo(gl, [vertexShader, fragmentShader]);
    this.vertices = gl.createVertexArray() as WebGLVertexArrayObject;
    this.indexBuffer = gl.createBuffer() as WebGLBuffer;
    this.slotsTexture = this.texture();
    this.boxesTexture = this.texture();
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

  setLayout({ arenas, boxes }: Layout): void {
    const filled = arenas.filter((place) => place.boxes > 0);
    const firstOther = filled.reduce((sum, place) => sum + place.boxes, 0);
    const count = filled.length + boxes.count - firstOther;
    this.areas = new Float32Array(count * 4);
    this.indices = new Uint32Array(count * indicesOfArea.length);
    const places = new Float32Array(count * 8);
    const cells = new Float32Array(count * 8);
    const grids = new Int32Array(count * 16);
    const shapes = new Float32Array(count * 12);
    let area = 0;
    const add = (x: number, y: number, width: number, height: number, first: number, number: number, columns: number, gap: number): void => {
      const rows = Math.ceil(number / columns);
      const [right, bottom] = [x + columns * width * (1 + gap), y + rows * height * (1 + gap)];
      this.areas.set([x, y, right - x, bottom - y], area * 4);
      places.set([x, y, right, y, x, bottom, right, bottom], area * 8);
      cells.set([0, 0, columns, 0, 0, rows, columns, rows], area * 8);
      for (let corner = area * 4; corner < area * 4 + 4; ++corner) {
        grids.set([first, number, columns, rows], corner * 4);
        shapes.set([width, height, 1 / (1 + gap)], corner * 3);
      }
      ++area;
    };
    for (const { firstBox, boxes: number } of filled) {
      const [x, y, width, height] = boxes.rectangles.subarray(firstBox * 4);
      add(x, y, width, height, firstBox, number, Math.max(1, Math.ceil(Math.sqrt(number))), gapOfPools);
    }
    for (let box = firstOther; box < boxes.count; ++box) {
      const [x, y, width, height] = boxes.rectangles.subarray(box * 4);
      add(x, y, width, height, box, 1, 1, 0);
    }
    this.attribute("place", places, 2);
    this.attribute("cell", cells, 2);
    this.attribute("grid", grids, 4);
    this.attribute("box", shapes, 3);
  }

  private attribute(name: string, values: Float32Array | Int32Array, size: number): void {
    const { gl } = this;
    const location = gl.getAttribLocation(this.program.program, name);
    const buffer = this.buffers.get(name) ?? (gl.createBuffer() as WebGLBuffer);
    this.buffers.set(name, buffer);
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(location);
    if (values instanceof Int32Array) {
      gl.vertexAttribIPointer(location, size, gl.INT, 0, 0);
    } else {
      gl.vertexAttribPointer(location, size, gl.FLOAT, false, 0, 0);
    }
  }

  // The colours of all slots, and of each pool their mean, in which few highlighted blocks are still seen.
  setColours(heap: Heap, layout: Layout, colouring: Colouring, highlighted: Uint8Array | null, theme: Theme): void {
    const { gl } = this;
    const height = Math.max(1, Math.ceil(heap.slots / slotsWidth));
    if (height > gl.getParameter(gl.MAX_TEXTURE_SIZE)) {
      throw new Error("This browser's WebGL can't hold so many blocks.");
    }
    if (this.texels.length !== height * slotsWidth * 4) {
      this.texels = new Uint8Array(height * slotsWidth * 4);
    }
    const palette = new Uint8Array(256 * 3).fill(128);
    for (const entry of colouring.entries) {
      palette.set(channels(entry.colour), entry.index * 3);
    }
    this.setBoxes(heap, layout, colouring, highlighted, theme, palette);
    const { texels } = this;
    const alphas = [0, 255, 128, 0];
    const accent = channels(theme.accent);
    for (let slot = 0; slot < heap.slots; ++slot) {
      const from = colouring.indices[slot] * 3;
      const to = slot * 4;
      for (let i = 0; i < 3; ++i) {
        // What is highlighted has a colour of its own: some that blocks have are pale beside what is dimmed.
        texels[to + i] = highlighted === null ? palette[from + i]
          : highlighted[slot] === 0 ? theme.ground[i] + dimmed * (palette[from + i] - theme.ground[i]) : accent[i];
      }
      texels[to + 3] = alphas[heap.state[slot] & 3];
    }
    gl.bindTexture(gl.TEXTURE_2D, this.slotsTexture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, slotsWidth, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  private setBoxes(
    heap: Heap, layout: Layout, colouring: Colouring, highlighted: Uint8Array | null, theme: Theme, palette: Uint8Array,
  ): void {
    const { grid, states, count } = layout.boxes;
    const height = Math.max(1, Math.ceil(count / boxesWidth));
    const texels = new Int32Array(boxesWidth * height * 4);
    const accent = channels(theme.accent);
    for (let box = 0; box < count; ++box) {
      const first = grid[box * 4];
      const blocks = grid[box * 4 + 1];
      let red = 0, green = 0, blue = 0, live = 0, free = 0, lit = 0;
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
        lit += highlighted?.[slot] ?? 0;
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
        colour = dim.map((value, i) => accent[i] * share + value * (1 - share));
      }
      const mean = colour.reduce((packed, value, i) => packed | (Math.max(0, Math.min(255, Math.round(value))) << (8 * i)), states[box] << 24);
      texels.set([first, blocks, Math.min(65535, grid[box * 4 + 2]) | (Math.min(32767, grid[box * 4 + 3]) << 16), mean], box * 4);
    }
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.boxesTexture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32I, boxesWidth, height, 0, gl.RGBA_INTEGER, gl.INT, texels);
  }

  // The areas in sight, as triangles; returns how many.
  private look(camera: Camera): number {
    const { areas, indices } = this;
    const [left, top] = camera.toMap(0, 0);
    const [right, bottom] = camera.toMap(camera.width, camera.height);
    let seen = 0;
    for (let at = 0; at < areas.length; at += 4) {
      if (areas[at] > right || areas[at + 1] > bottom || areas[at] + areas[at + 2] < left || areas[at + 1] + areas[at + 3] < top) {
        continue;
      }
      for (let i = 0; i < indicesOfArea.length; ++i) {
        indices[seen * indicesOfArea.length + i] = at + indicesOfArea[i];
      }
      ++seen;
    }
    return seen;
  }

  draw(camera: Camera, theme: Theme): void {
    const { gl, canvas } = this;
    const share = (channel: number): number => channel / 255;
    const background = theme.background.map(share);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(background[0], background[1], background[2], 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const seen = this.look(camera);
    if (seen === 0) {
      return;
    }
    gl.useProgram(this.program.program);
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indexBuffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.indices.subarray(0, seen * indicesOfArea.length), gl.DYNAMIC_DRAW);
    setUniforms(this.program, {
      view: [camera.x, camera.y, (camera.scale * canvas.width) / camera.width, 0], size: [canvas.width, canvas.height],
      background, ground: theme.ground.map(share), line: theme.line.map(share), boxes: this.boxesTexture, slots: this.slotsTexture,
    });
    gl.drawElements(gl.TRIANGLES, seen * indicesOfArea.length, gl.UNSIGNED_INT, 0);
  }
}
