"""As many as a process takes, as many as the machine takes, and ten minutes of nothing."""

from loadtest.realtime.measure import Meter, Row
from loadtest.realtime.scale import Setting, need_descriptors
from loadtest.realtime.two_nodes import house, measured

HUGE_CONNECT_RATE = 6000
SETTLE_SECONDS = 30.0
FLAT_SHARE = 0.01  # of the memory, in ten minutes


async def full_process(setting: Setting) -> list[Row]:
    """One process near its limit of descriptors."""
    count = setting.scale.one_process
    need_descriptors(count)
    async with house(setting, 1) as at:
        meter = Meter(at.pids)
        await at.people.connect(count)
        told, cores = await measured(at.people, 3 * setting.scale.seconds, 20, meter)
        memory = meter.memory_mb
    p99 = told.worst("delay").p99
    figure = f"p99 {p99:.0f} ms, {cores:.2f} of a core, {memory:.0f} MB; {told.loss}"
    met = p99 <= 500 and told.wrong == 0 and told.sum("drops") == 0
    name = f"{count:,} viewers in one process, 20 messages a second"
    return [Row(name, "holds, p99 <= 500 ms", figure, met, "one room, send to receive", [p99])]


async def huge_room(setting: Setting) -> list[Row]:
    """One room over many nodes, generators on the same cores."""
    scale = setting.scale
    need_descriptors(scale.huge // scale.huge_nodes)
    async with house(setting, scale.huge_nodes, scale.huge_nodes) as at:
        meter = Meter(at.pids)
        connected = await at.people.connect(scale.huge, rate=HUGE_CONNECT_RATE)
        took, connect_ms = max(one.seconds for one in connected.reports), meter.cpu_seconds / scale.huge * 1000
        told, cores = await measured(at.people, scale.huge_seconds, 20, meter)
        memory = meter.memory_mb
    delay = told.worst("delay")
    figure = (
        f"p50 {delay.p50:.0f}, p99 {delay.p99:.0f} ms; {told.loss} of {told.sum('messages'):,}; "
        f"{cores:.2f} cores, {memory:.0f} MB; connected in {took:.0f} s, {connect_ms:.2f} ms each"
    )
    met = delay.p99 <= 1500 and told.wrong == 0 and told.sum("drops") == 0 and memory <= 1200
    many = scale.huge_nodes
    method = f"{many} nodes, {many} generators, {scale.huge_seconds:.0f} s; {told.sum('acked')} acknowledged"
    name = f"{scale.huge:,} viewers in one room, 20 messages a second"
    return [Row(name, "0 lost, p99 <= 1.5 s, <= 1.2 GB", figure, met, method, [delay.p99])]


async def idle(setting: Setting) -> list[Row]:
    """Everybody is there and nobody says anything."""
    scale = setting.scale
    async with house(setting, 1) as at:
        await at.people.connect(scale.clients)
        await at.people.listen(min(30.0, scale.idle_seconds / 4))  # what connecting left to be done
        await at.people.reset()
        meter = Meter(at.pids)
        before = meter.memory_mb
        told = await at.people.listen(scale.idle_seconds)
        cores, grown = meter.cores, meter.grown_mb
    figure = f"{cores * 100:.2f} % of a core, {before:.0f} MB {grown:+.2f} MB; {told.sum('drops')} lost"
    met = cores < 0.02 and grown <= FLAT_SHARE * before and told.sum("drops") == 0
    method = f"{scale.idle_seconds:.0f} s, one process, {told.sum('pings')} heartbeats answered"
    return [Row(f"idle {scale.clients:,} sockets", "< 2 % of a core, flat memory", figure, met, method, [cores * 100])]
