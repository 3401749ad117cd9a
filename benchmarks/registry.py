"""All benchmarks. To add one, write a function that yields rows and name it here."""

from benchmarks import arm_calls, handoff, memory, round_trips, speed, whole_system
from benchmarks.report import Benchmark

BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("correlation, side by side", speed.KEYS, speed.measure),
    Benchmark("correlation, memory", (memory.KEY,), memory.measure),
    Benchmark("calls to Resource Manager", arm_calls.KEYS, arm_calls.measure),
    Benchmark("drift mended by the log", (whole_system.REPAIR,), whole_system.measure_repair),
    Benchmark("provisioning", (whole_system.PROVISIONING,), whole_system.measure_provisioning),
    Benchmark("correlation, across files", (round_trips.KEY,), round_trips.measure),
    Benchmark("hand-off", (handoff.KEY,), handoff.measure),
)
