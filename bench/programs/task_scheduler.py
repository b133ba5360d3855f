"""A small operating system's kernel: tasks by priority pass packets through queues to two devices.

Method calls on a few long-lived objects, and packets that come and go.
"""

from __future__ import annotations

import random

from _program import Checksum, Scale, run


class Packet:
    """A message that is linked into the queue of the task that it waits for."""

    def __init__(self, kind: str, sender: int, payload: list[int]) -> None:
        self.next: Packet | None = None
        self.kind = kind
        self.sender = sender
        self.payload = payload
        self.answer = 0


class Queue:
    def __init__(self) -> None:
        self.first: Packet | None = None
        self.last: Packet | None = None
        self.length = 0

    def append(self, packet: Packet) -> None:
        packet.next = None
        if self.last is None:
            self.first = packet
        else:
            self.last.next = packet
        self.last = packet
        self.length += 1

    def take(self) -> Packet:
        packet = self.first
        assert packet is not None
        self.first = packet.next
        if self.first is None:
            self.last = None
        packet.next = None
        self.length -= 1
        return packet


class Task:
    def __init__(self, kernel: Kernel, name: int, priority: int) -> None:
        self.kernel = kernel
        self.name = name
        self.priority = priority
        self.inbox = Queue()
        self.asleep_until = 0
        self.turns = 0

    def is_ready(self, now: int) -> bool:
        return self.inbox.first is not None and self.asleep_until <= now

    def step(self) -> None:
        raise NotImplementedError


class Device(Task):
    """Answers one packet at a time and is busy for a while after it."""

    def __init__(self, kernel: Kernel, name: int, priority: int, delay: int) -> None:
        super().__init__(kernel, name, priority)
        self.delay = delay

    def step(self) -> None:
        packet = self.inbox.take()
        packet.answer = sum(packet.payload) & 0xFFFF
        packet.kind = "done"
        self.asleep_until = self.kernel.now + self.delay
        self.kernel.send(packet.sender, packet, self.name)


class Handler(Task):
    """Stands before a device: splits work into pieces, collects the answers."""

    def __init__(self, kernel: Kernel, name: int, priority: int, device: int) -> None:
        super().__init__(kernel, name, priority)
        self.device = device
        self.total = 0

    def step(self) -> None:
        packet = self.inbox.take()
        if packet.kind == "done":
            self.total = (self.total * 31 + packet.answer) & 0xFFFFFFFF
            return
        for start in range(0, len(packet.payload), 4):
            self.kernel.send(self.device, Packet("work", self.name, packet.payload[start : start + 4]), self.name)


class Worker(Task):
    """Makes work from an idle tick, for one handler and then the other."""

    def __init__(self, kernel: Kernel, name: int, priority: int, handlers: list[int]) -> None:
        super().__init__(kernel, name, priority)
        self.handlers = handlers
        self.chance = random.Random(name)

    def step(self) -> None:
        self.inbox.take()
        self.handlers.reverse()
        payload = [self.chance.randrange(1000) for _ in range(16)]
        self.kernel.send(self.handlers[0], Packet("work", self.name, payload), self.name)


class Kernel:
    def __init__(self) -> None:
        self.now = 0
        self.sent = 0
        self.tasks: dict[int, Task] = {}
        self.by_priority: list[Task] = []

    def add(self, task: Task) -> None:
        self.tasks[task.name] = task
        self.by_priority = sorted(self.tasks.values(), key=lambda one: -one.priority)

    def send(self, receiver: int, packet: Packet, sender: int) -> None:
        packet.sender = sender
        self.sent += 1
        self.tasks[receiver].inbox.append(packet)

    def next_ready(self) -> Task | None:
        for task in self.by_priority:
            if task.is_ready(self.now):
                return task
        return None

    def run(self, ticks: int) -> None:
        for tick in range(ticks):
            self.send(1 + tick % 2, Packet("tick", 0, []), 0)
            for _ in range(14):
                self.now += 1
                task = self.next_ready()
                if task is not None:
                    task.turns += 1
                    task.step()


def main(scale: Scale, checksum: Checksum) -> None:
    kernel = Kernel()
    kernel.add(Worker(kernel, 1, 1, [3, 4]))
    kernel.add(Worker(kernel, 2, 2, [3, 4]))
    handlers = [Handler(kernel, 3, 4, 5), Handler(kernel, 4, 3, 6)]
    for handler in handlers:
        kernel.add(handler)
    kernel.add(Device(kernel, 5, 6, 1))
    kernel.add(Device(kernel, 6, 5, 2))
    kernel.run(scale(48000))
    checksum.add(kernel.sent, [(task.name, task.turns, task.inbox.length) for task in kernel.by_priority])
    checksum.add([handler.total for handler in handlers])


run(main)
