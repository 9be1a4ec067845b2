"""The steps of a GET, from what perf prints."""

from __future__ import annotations

import pytest

from bench.steps import OTHERS, PROGRAM, STEPS, TOTAL, WAIT, Sample, samples, shares, split, step_of

PRINTED = """\
 10/12
\tffffffff821cbbb0 tcp_sendmsg
\t            1234 syscall.sendmsg
\t            1235 libglide/core.(*socket).Write

 10/10
\t    7f7a4eef2ad7 [unknown]
"""


def test_a_sample_has_its_thread_and_its_functions() -> None:
    assert list(samples(PRINTED.splitlines())) == [
        Sample(10, 12, ("tcp_sendmsg", "syscall.sendmsg", "libglide/core.(*socket).Write")),
        Sample(10, 10, ("[unknown]",)),
    ]


@pytest.mark.parametrize(
    ("stack", "step"),
    [
        (("tcp_sendmsg", "syscall.sendmsg", "syscall.sendmsgN"), "sending, in the kernel"),
        (("__GI___libc_write", "link_flush"), "sending, in the kernel"),
        (("read", "link_read"), "receiving and waking up, in the kernel"),
        (("tcp_recvmsg", "syscall.recvfrom", "libglide/core.peekGone"), "a look for a hang-up"),
        (("tcp_recvmsg", "syscall.recvfrom", "libglide/core.(*socket).watch.func1"), "awake"),
        (("__x64_sys_sched_yield", "libglide/core.(*vigil).keep"), "awake"),
        (("runtime.memmove", "libglide/core.appendCommand"), "the connection: writing"),
        (("libglide/core.stringAt", "libglide/core.(*reading).advance"), "the connection: writing"),
        (("libglide/core.(*socket).Write", "libglide/core.(*conn).Write"), "the connection"),
        (("libglide/core.(*lane).join", "main.glideGoClientExecute"), "joining the lane"),
        (("libglide/routing.SlotOf", "libglide/core.(*Client).Start"), "planning"),
        (("main.(*request).decodePlain", "main.guard"), "reading the request"),
        (("main.appendValue", "main.(*reply).append", "main.(*call).Done"), "writing the response"),
        (("runtime.exitsyscall", "runtime.cgocallbackg"), "Go's scheduler"),
        (("main.guard", "main.glideGoClientExecute"), "C to Go and back"),
        (("glide_client_execute", "request_execute"), "C to Go and back"),
        (("wire_put_bytes", "request_execute"), "the program"),
        (("read_value", "finish"), "the program"),
    ],
)
def test_a_sample_belongs_to_the_innermost_step(stack: tuple[str, ...], step: str) -> None:
    assert step_of(stack).startswith(step)


def test_every_step_is_one_of_the_table() -> None:
    assert {step_of((name,)) for name in ("main.find", "malloc")} <= {PROGRAM, *STEPS}


def test_the_processor_time_is_shared_and_the_rest_is_a_wait() -> None:
    taken = [
        Sample(1, 1, ("printf",)),
        Sample(1, 2, ("wire_put_uint",)),
        Sample(1, 2, ("syscall.sendmsg",)),
        Sample(1, 2, ("syscall.sendmsg",)),
        Sample(1, 3, ("runtime.usleep",)),
    ]
    steps = split({"us": 30.0, "cpu_us": 16.0}, shares(taken))
    assert steps == {
        PROGRAM: 4.0,
        "sending, in the kernel": 8.0,
        OTHERS: 4.0,
        WAIT: 18.0,
        TOTAL: 30.0,
    }
