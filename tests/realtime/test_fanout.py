"""Fan-out over real sockets with small buffers: whole frames, in order, and whoever missed one is told."""

import asyncio
import contextlib
import socket
from random import Random

import pytest

from realtime.wire import descriptors
from realtime.wire.fanout import LONGEST_INTERVAL_SECONDS, SHARE, Audience, Frame, Merger, frame_of, interval_seconds

LAGGED = "lagged"
NOTE = "note "  # something for one member alone


class Peer:
    """A member at one end of a socket pair; its transport is a bytearray. See `realtime.wire.fanout.Member`."""

    def __init__(self, *, polls: bool = False) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for end in (self.ours, self.theirs):
            end.setblocking(False)
        self.descriptor = -1 if polls else self.ours.fileno()
        self.waiting = bytearray()
        self.polled: list[str | bytes] = []
        self.got = bytearray()
        self.audiences: list[Audience] = []

    @property
    def writable(self) -> bool:
        return self.descriptor >= 0 and not self.waiting

    def offer_frame(self, frame: Frame) -> None:
        if self.descriptor < 0:
            self.polled += frame.packets
            return
        taken = 0 if self.waiting else descriptors.write_some(self.descriptor, frame.wire)
        if taken < len(frame.wire):
            self.write_rest(frame.wire[taken:])

    def write_rest(self, data: bytes) -> None:
        self.waiting += data
        for audience in self.audiences:
            audience.slowed(self)

    def entered(self, audience: Audience) -> None:
        self.audiences.append(audience)

    def left(self, audience: Audience) -> None:
        self.audiences.remove(audience)

    def read(self, size: int = 1 << 20) -> None:
        """What the client does: take what is there, which makes room for what waits."""
        with contextlib.suppress(BlockingIOError):
            while piece := self.theirs.recv(size):
                self.got += piece
        if self.waiting:
            del self.waiting[: descriptors.write_some(self.descriptor, bytes(self.waiting))]
            if not self.waiting:
                for audience in tuple(self.audiences):
                    audience.ready(self)

    def heard(self) -> list[str]:
        """The messages that came; raises when one of them is torn."""
        messages, data = [], bytes(self.got)
        while data:
            assert data[0] == 0x81
            size, head = data[1], 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            assert len(data) >= head + size
            messages.append(data[head : head + size].decode())
            data = data[head + size :]
        return messages

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def small_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few members already make a fan-out of several steps."""
    monkeypatch.setattr(descriptors, "SHARD", 4)


def text(number: int, padding: int) -> str:
    return f"{number} " + "x" * padding


def holes_are_told(messages: list[str]) -> list[int]:
    """All numbers grow. A jump of the second number, that of chat, has been told before. Returns what was not chat."""
    newest, chat, told, others = -1, None, False, []
    for message in messages:
        if message.startswith(NOTE):
            continue
        if message == LAGGED:
            told = True
            continue
        number, of_chat = map(int, message.split()[:2])
        assert number > newest
        newest = number
        if of_chat < 0:
            others.append(number)
            continue
        assert chat is None or of_chat == chat + 1 or told, f"{chat} is followed by {of_chat}"
        chat, told = of_chat, False
    return others


class World:
    """Members with small buffers who come, read now and then, and get something of their own in between."""

    def __init__(self, dice: Random) -> None:
        self.audience = Audience(lambda _: None, LAGGED)
        self.due: dict[Peer, list[int]] = {}  # what must not be dropped, for each member
        self._dice = dice
        self._said = 0

    def step(self, number: int) -> None:
        """Somebody may come, something is said, some read."""
        dice = self._dice
        if len(self.due) < 15 and dice.random() < 0.2:
            peer = Peer(polls=dice.random() < 0.1)
            self.audience.add(peer)
            self.due[peer] = []
        is_chat = dice.random() < 0.9
        of_chat = self._said if is_chat else -1
        self.audience.send(f"{number} {of_chat} " + "x" * dice.choice([10, 500, 3000]), droppable=is_chat)
        self._said += is_chat
        for peer, numbers in self.due.items():
            numbers.extend([] if is_chat else [number])
            if dice.random() < 0.3:
                peer.read(dice.choice([100, 1 << 20]))

    def interrupt(self) -> None:
        """In the middle of a frame, as an answer would."""
        for peer in self._dice.sample(list(self.due), len(self.due) // 3):
            peer.offer_frame(frame_of(NOTE + "x" * self._dice.choice([1, 6000])))


@pytest.mark.parametrize("seed", range(12))
async def test_frames_are_whole_and_in_order_and_no_hole_is_silent(seed: int, small_lists: None) -> None:
    dice = Random(seed)  # noqa: S311  # a world to replay
    world = World(dice)
    for number in range(400):
        world.step(number)
        if dice.random() < 0.5:
            await asyncio.sleep(0)
            world.interrupt()
    await world.audience.settled()
    for peer, due in world.due.items():
        for _ in range(50):
            peer.read()
        heard = peer.heard() if peer.descriptor >= 0 else [str(packet) for packet in peer.polled]
        assert holes_are_told(heard)[-len(due) :] == due  # one on its way when it came may be the first
    assert any(LAGGED in peer.heard() for peer in world.due)
    for peer in world.due:
        world.audience.discard(peer)
        peer.close()
    assert len(world.audience) == 0


async def test_what_must_not_be_dropped_reaches_the_slow_ones_too(small_lists: None) -> None:
    audience, peers = Audience(lambda _: None, LAGGED), [Peer() for _ in range(9)]
    for peer in peers:
        audience.add(peer)
    for number in range(20):
        audience.send(text(number, 3000))
    await audience.settled()
    for peer in peers:
        while peer.waiting:
            peer.read()
        peer.read()
        assert [int(message.split()[0]) for message in peer.heard()] == list(range(20))
        peer.close()


async def test_members_come_and_go_while_a_frame_travels(small_lists: None) -> None:
    audience, stay, go = Audience(lambda _: None), [Peer() for _ in range(10)], [Peer() for _ in range(10)]
    for pair in zip(stay, go, strict=True):
        for peer in pair:
            audience.add(peer)
    audience.send("0 first")
    await asyncio.sleep(0)
    for peer in go:
        audience.discard(peer)
        peer.close()  # its number may now be somebody else's
    late = Peer()
    audience.add(late)
    audience.send("1 second")
    await audience.settled()
    for peer in stay:
        peer.read()
        assert peer.heard() == ["0 first", "1 second"]
        peer.close()
    late.read()
    assert late.heard()[-1] == "1 second"
    late.close()


async def test_a_member_that_stops_polling_gets_frames_as_the_others(small_lists: None) -> None:
    audience, peer = Audience(lambda _: None), Peer(polls=True)
    audience.add(peer)
    audience.send("0 polled")
    peer.descriptor = peer.ours.fileno()
    audience.moved(peer)
    audience.send("1 written")
    peer.read()
    assert (peer.polled, peer.heard()) == (["0 polled"], ["1 written"])
    peer.close()


async def test_a_quiet_room_hears_at_once_and_a_busy_one_in_few_frames() -> None:
    audience, peer = Audience(lambda _: None), Peer()
    audience.add(peer)
    audience.cost_seconds = 0.05  # as if it were thousands
    merger = Merger(audience)
    merger.push(b'{"n":0}')
    peer.read()
    assert peer.heard() == ['42["chat",[{"n":0}]]']
    for number in range(1, 250):
        merger.push(b'{"n":%d}' % number)
    peer.read()
    assert len(peer.heard()) == 1  # they wait
    merger.flush()
    peer.read()
    assert len(peer.heard()) == 1 + 3  # a hundred entries in each at most
    merger.forget()
    peer.close()


async def test_a_count_travels_with_the_chat_and_costs_a_small_share() -> None:
    audience, peer = Audience(lambda _: None), Peer()
    audience.add(peer)
    merger = Merger(audience)
    merger.show("viewers 1")
    assert audience.cost_seconds < 0.01
    audience.cost_seconds = 0.05  # as if it were thousands: at most one in a second
    merger.show("viewers 2")
    merger.show("viewers 3")
    peer.read()
    assert peer.heard() == ["viewers 1"]
    merger.push(b"{}")
    peer.read()
    assert peer.heard() == ["viewers 1", '42["chat",[{}]]', "viewers 3"]
    audience.cost_seconds = 0.001
    merger.show("viewers 4")
    async with asyncio.timeout(5):
        while len(peer.heard()) < 4:
            await asyncio.sleep(0.01)
            peer.read()
    merger.forget()
    peer.close()


def test_the_tick_grows_with_its_cost_and_never_takes_more_than_its_share() -> None:
    assert interval_seconds(0.0) == 0.0
    costs = [0.0007, 0.007, 0.035, 0.12, 0.5]
    intervals = [interval_seconds(cost) for cost in costs]
    assert intervals == sorted(intervals)
    assert all(cost / interval <= SHARE for cost, interval in zip(costs, intervals, strict=True))
    assert intervals[0] < 0.01
    assert interval_seconds(0.035, late_seconds=0.05) > interval_seconds(0.035)
    assert interval_seconds(60.0, 60.0) == LONGEST_INTERVAL_SECONDS


def test_a_frame_is_encoded_once_for_both_ways() -> None:
    frame = frame_of('42["a"]', b"\x01\x02")
    assert frame.packets == ('42["a"]', b"\x01\x02")
    assert frame.wire == b'\x81\x0742["a"]' + b"\x82\x02\x01\x02"
