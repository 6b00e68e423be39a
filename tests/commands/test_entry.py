"""How a command line ends: at Ctrl-C, for a reader who left, with text from data."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fashionlib import commands
from fashionlib.commands.entry import Printed, end

START = "import os, signal, sys; from fashionlib.commands.entry import end\n"
SCRIPT = "from fashionlib.commands.entry import package\nsys.exit(package())\n"
STOP = "os.kill(os.getpid(), signal.SIGINT)"


def python(code: str, **given) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", START + code]
    return subprocess.run(command, capture_output=True, text=True, **given)


@pytest.mark.parametrize(
    "program",
    [
        f"lambda: {STOP}",
        # a library that makes another error of it, as some do while they are imported
        f"lambda: exec('try: {STOP}\\nexcept BaseException: raise ImportError')",
        "lambda: exec('raise KeyboardInterrupt')",
        # what a library does with it in a destructor is nobody's to read
        f"lambda: type('Gone', (), {{'__del__': lambda _: {STOP}}})() and None",
        # a child gets it too, and is quiet
        f"lambda: (os.fork() or {STOP}) and os.wait() and {STOP}",
    ],
)
def test_an_interruption_is_one_line_and_130(program):
    done = python(f"sys.exit(end('fashionlib x', {program}))")
    assert (done.returncode, done.stderr) == (130, "fashionlib x: interrupted\n")


@pytest.mark.parametrize("package", ["fashionlib.commands", "wardrobe"])
def test_an_interruption_of_imports_is_one_line_too(package, tmp_path):
    (tmp_path / "typer.py").write_text(f"import os, signal\n{STOP}\n")
    done = subprocess.run(
        [sys.executable, "-m", package, "check"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 130
    assert done.stderr.endswith(": interrupted\n") and done.stderr.count("\n") == 1


def test_a_script_meets_an_interruption_of_its_packages_own_imports(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(f"import os, signal\n{STOP}\n")
    (tmp_path / "shop.py").write_text(
        f"import sys\nsys.path[0] = {str(tmp_path)!r}\n{SCRIPT}"
    )
    command = [sys.executable, tmp_path / "shop.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "shop: interrupted\n")


def test_ctrl_c_is_as_before_when_a_command_has_ended():
    before = signal.getsignal(signal.SIGINT)
    assert commands.main(["--version"]) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_a_reader_who_leaves_is_no_error_and_the_work_goes_on():
    code = "print(1, flush=True); print(2, flush=True); sys.stderr.write('done')"
    read, write = os.pipe()
    os.close(read)
    command = [
        sys.executable,
        "-c",
        f"{START}sys.exit(end('x', lambda: exec({code!r})))",
    ]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "done")


def test_where_nothing_can_be_printed_one_line_says_so():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        code = f"import typer; {START}sys.exit(end('x', lambda: typer.echo(1)))"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


def test_text_from_data_cannot_steer_the_terminal(capsys):
    def program() -> int:
        print("caption \x1b[2J\x9b31m\u202e\rabc")
        print("\x1b[A\rwarned \x07", file=sys.stderr)
        raise ValueError("no item 'a\x1b[2J\nb\u2067'")

    assert end("x", program) == 2
    printed = capsys.readouterr()
    assert printed.out == r"caption \u001b[2J\u009b31m\u202e\u000dabc" + "\n"
    assert printed.err.splitlines()[1:] == [r"x: no item 'a\u001b[2J b\u2067'"]
    assert printed.err.startswith("\x1b[A" + r"\u000dwarned \u0007")


def test_progress_bars_move_the_cursor():
    from tqdm import tqdm

    plain, wrapped = io.StringIO(), io.StringIO()
    for stream in (plain, Printed(wrapped, bars=True)):
        for _ in tqdm(range(2), file=stream, bar_format="{n}"):
            for _ in tqdm(range(2), file=stream, bar_format="{n}", leave=False):
                pass
    assert wrapped.getvalue() == plain.getvalue() and "\x1b[A" in plain.getvalue()


def test_messages_stand_above_the_progress_bar():
    code = (
        "import logging, typer; from tqdm import tqdm\n"
        "from fashionlib.commands.entry import end\n"
        "from fashionlib.commands.line import plain, run\n"
        "app = plain()\n"
        "def work():\n"
        " for _ in tqdm(range(1), bar_format='bar'):\n"
        "  logging.getLogger('fashionlib.x').info('compiling \\x1b[2J')\n"
        "  logging.getLogger('other').info('silent')\n"
        "app.command()(work)\n"
        "end('x', lambda: run(app, [], 'x'))"
    )
    told = python(code).stderr
    assert "compiling \\u001b[2J\n" in told and "silent" not in told
    assert "barcompiling" not in told


def test_the_version_is_told(capsys):
    import fashionlib

    assert commands.main(["--version"]) == 0
    assert capsys.readouterr().out == f"fashionlib {fashionlib.__version__}\n"
