"""Trace rays through spheres over a chequered floor: millions of short-lived vectors with __slots__."""

from __future__ import annotations

from math import inf, sqrt

from _program import Checksum, Scale, run


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x: float, y: float, z: float) -> None:
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor: float) -> Vector:
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other: Vector) -> float:
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self) -> Vector:
        return self * (1 / sqrt(self.dot(self)))

    def mirrored(self, normal: Vector) -> Vector:
        return self - normal * (2 * self.dot(normal))


class Ray:
    __slots__ = ("origin", "direction")

    def __init__(self, origin: Vector, direction: Vector) -> None:
        self.origin = origin
        self.direction = direction

    def at(self, distance: float) -> Vector:
        return self.origin + self.direction * distance


class Thing:
    shine = 0.0

    def distance(self, ray: Ray) -> float:
        """How far along the ray it is hit; infinite where it isn't."""
        raise NotImplementedError

    def normal(self, point: Vector) -> Vector:
        raise NotImplementedError

    def colour_at(self, point: Vector) -> Vector:
        raise NotImplementedError


class Sphere(Thing):
    def __init__(self, centre: Vector, radius: float, colour: Vector, shine: float) -> None:
        self.centre = centre
        self.radius = radius
        self.colour = colour
        self.shine = shine

    def distance(self, ray: Ray) -> float:
        offset = ray.origin - self.centre
        half = offset.dot(ray.direction)
        root = half * half - offset.dot(offset) + self.radius * self.radius
        if root < 0:
            return inf
        near = -half - sqrt(root)
        return near if near > 1e-6 else inf

    def normal(self, point: Vector) -> Vector:
        return (point - self.centre).unit()

    def colour_at(self, point: Vector) -> Vector:
        return self.colour


class Floor(Thing):
    shine = 0.2

    def distance(self, ray: Ray) -> float:
        if ray.direction.y >= -1e-9:
            return inf
        return (-1 - ray.origin.y) / ray.direction.y

    def normal(self, point: Vector) -> Vector:
        return Vector(0.0, 1.0, 0.0)

    def colour_at(self, point: Vector) -> Vector:
        light = (int(point.x + 1000) + int(point.z + 1000)) % 2
        return Vector(0.9, 0.9, 0.8) if light else Vector(0.2, 0.2, 0.3)


LIGHT = Vector(4.0, 8.0, -3.0)
SKY = Vector(0.5, 0.7, 1.0)
SCENE: list[Thing] = [
    Sphere(Vector(-1.6, 0.0, 4.0), 1.0, Vector(0.9, 0.2, 0.2), 0.3),
    Sphere(Vector(0.7, -0.4, 3.0), 0.6, Vector(0.2, 0.8, 0.3), 0.5),
    Sphere(Vector(1.9, 0.5, 5.0), 1.5, Vector(0.3, 0.3, 0.9), 0.2),
    Floor(),
]


def colour_of(ray: Ray, bounces: int) -> Vector:
    nearest: Thing | None = None
    best = inf
    for thing in SCENE:
        distance = thing.distance(ray)
        if distance < best:
            nearest, best = thing, distance
    if nearest is None:
        return SKY
    point = ray.at(best)
    normal = nearest.normal(point)
    start = point + normal * 1e-4
    to_light = Ray(start, (LIGHT - point).unit())
    shadow = any(thing.distance(to_light) < inf for thing in SCENE)
    brightness = 0.15 if shadow else 0.15 + 0.85 * max(0.0, normal.dot(to_light.direction))
    colour = nearest.colour_at(point) * brightness
    if bounces:
        mirrored = colour_of(Ray(start, ray.direction.mirrored(normal).unit()), bounces - 1)
        colour = colour * (1 - nearest.shine) + mirrored * nearest.shine
    return colour


def main(scale: Scale, checksum: Checksum) -> None:
    width = 400
    height = scale(230)
    eye = Vector(0.0, 0.5, -2.0)
    for row in range(height):
        pixels = []
        for column in range(width):
            direction = Vector((column - width / 2) / width, (height / 2 - row) / height * 0.6, 0.9).unit()
            colour = colour_of(Ray(eye, direction), 2)
            pixels.append((int(colour.x * 255), int(colour.y * 255), int(colour.z * 255)))
        checksum.add(pixels)


run(main)
