from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Cluster, run

import libglide


def test_importing_loads_neither_protobuf_nor_the_library() -> None:
    done = run(
        "import libglide, sys\n"
        "print('google.protobuf' in sys.modules, 'libglide.so' in open('/proc/self/maps').read())"
    )
    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_importing_leaves_out_what_few_programs_need_until_they_do() -> None:
    done = run(
        "import sys, libglide\n"
        "late = lambda: sorted({'hashlib', 'libglide.statistics'} & set(sys.modules))\n"
        "print(late())\n"
        "libglide.Script('return 1'), libglide.Statistics\n"
        "print(late())"
    )
    assert done.stdout == "[]\n['hashlib', 'libglide.statistics']\n"


def test_a_name_that_there_is_not_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Statistic'"):
        libglide.Statistic  # type: ignore[attr-defined]  # noqa: B018


def test_a_client_loads_what_subscriptions_need_with_the_first_one(cluster: Cluster) -> None:
    done = run(
        "import libglide, libglide.aio, sys\n"
        "seen = lambda: [name for name in ('events', 'inbox', 'listeners', 'subscription')\n"
        "                if 'libglide.' + name in sys.modules]\n"
        "client = libglide.Client.connect(sys.argv[1])\n"
        "client.execute('PING')\n"
        "print(len(seen()))\n"
        "client.subscribe('py:import').close()\n"
        "print(len(seen()))",
        cluster.addresses[0],
    )
    assert (done.stdout, done.stderr) == ("0\n4\n", "")


def test_a_key_slot_needs_the_library_but_not_protobuf() -> None:
    done = run(
        "import libglide, sys\nprint(libglide.key_slot('foo'), 'google.protobuf' in sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("12182 False\n", "")


def test_a_library_that_is_not_where_the_variable_says_is_an_error_naming_both(
    tmp_path: Path,
) -> None:
    place = str(tmp_path / "libglide.so.1")
    done = run(
        "import libglide\n"
        "try: libglide.key_slot('foo')\n"
        "except libglide.LibraryError as error: print(error)",
        LIBGLIDE_LIBRARY=place,
    )
    assert f"{place}: not there" in done.stdout
    assert "LIBGLIDE_LIBRARY" in done.stdout


def test_a_file_that_is_no_library_is_an_error_naming_it(tmp_path: Path) -> None:
    place = tmp_path / "libglide.so.1"
    place.write_text("no library")
    done = run(
        "import libglide\n"
        "try: libglide.key_slot('foo')\n"
        "except libglide.LibraryError as error: print(error)",
        LIBGLIDE_LIBRARY=str(place),
    )
    assert str(place) in done.stdout


def test_another_library_is_refused_by_name() -> None:
    done = run(
        "from libglide import LibraryError\n"
        "from libglide.library import Library\n"
        "try: Library('libc.so.6')\n"
        "except LibraryError as error: print(error)"
    )
    assert done.stdout == "libc.so.6 has no glide_abi_version: it is not libglide, or too old\n"


def test_another_c_library_than_glibc_is_refused_with_the_way_out() -> None:
    done = run(
        "import os, libglide\n"
        "os.confstr = lambda name: None\n"
        "try: libglide.key_slot('foo')\n"
        "except libglide.LibraryError as error: print(error)"
    )
    assert "needs glibc" in done.stdout
    assert "Alpine" in done.stdout
