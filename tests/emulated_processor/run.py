"""The native core's own tests on a processor that this machine has not: Bochs's Ice Lake.

A developer's tool, run by hand: `python tests/emulated_processor/run.py [words of libtest]`. It
needs bochs, gcc and cargo (Debian: `apt-get install bochs bochs-term gcc`). The back end `ifma` is
made of AVX-512 with IFMA, which neither valgrind nor QEMU does. Bochs does, too slowly to start a
system under it, so the test program is linked statically and runs on kernel.c here.

Without words it runs the tests of the lanes, over the back end `portable`: Bochs 2.7 leaves a wrong
overflow flag after `adox`, so that nothing of `adx` is right there. No randomness can be drawn.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# As kernel.c has them.
MEMORY, STACK, PAGE, SECTOR = 0x100000, 0x1F000000, 4096, 512
CYLINDER = 16 * 63 * SECTOR

CONFIGURATION = """
cpu: model=corei7_icelake_u, ips=10000000, reset_on_triple_fault=0
memory: guest=512, host=512
romimage: file={folder}/rom
ata0-master: type=disk, path={folder}/disk, mode=flat, cylinders={cylinders}, heads=16, spt=63
com1: enabled=1, mode=file, dev={folder}/written
display_library: term
clock: sync=none
log: {folder}/log
panic: action=fatal
"""


def build_tests() -> Path:
    """The test program of sscard-sm, linked statically at fixed addresses."""
    command = ["cargo", "test", "--release", "--locked", "--quiet", "--no-run", "--lib"]
    options = ["--package=sscard-sm", "--target=x86_64-unknown-linux-gnu", "--message-format=json"]
    flags = "-C target-feature=+crt-static -C relocation-model=static"
    environment = {**os.environ, "RUSTFLAGS": flags}
    done = subprocess.run(
        [*command, *options], cwd=HERE, env=environment, stdout=subprocess.PIPE, check=True
    )
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(Path(found) for message in messages if (found := message.get("executable")))


def build_rom(rom: Path) -> None:
    """The kernel, at the end of the first MiB, where the processor also finds its reset vector."""
    flags = "-O1 -Wall -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only -nostdlib -static"
    flags += " -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables"
    flags += " -Wl,--build-id=none,-Ttext=0xf0000,-Tbss=0x10000,--section-start=.reset=0xffff0"
    linked = rom.with_suffix(".linked")
    sources = (HERE / "start.S", HERE / "kernel.c")
    subprocess.run(["gcc", *flags.split(), *sources, "-o", linked], check=True)
    parts = [f"--only-section={name}" for name in (".text", ".rodata*", ".reset")]
    subprocess.run(["objcopy", "-Obinary", *parts, "--pad-to=0x100000", linked, rom], check=True)


def disk_of(program: bytes, texts: list[list[str]]) -> bytes:
    """The page of the arguments, the environment and what the system tells of itself; memory."""
    entry, table, size, count = struct.unpack_from("<24xQQ14xHH", program)
    memory, facts = bytearray(), {4: size, 5: count, 6: PAGE, 9: entry, 23: 0, 25: STACK}
    for at in range(table, table + size * count, size):
        kind, offset, address, in_file, whole = struct.unpack_from("<I4xQQ8xQQ", program, at)
        if kind == 1:
            memory.extend(bytes(address + whole - MEMORY - len(memory)))
            memory[address - MEMORY : address - MEMORY + in_file] = program[offset:][:in_file]
            facts.setdefault(3, address + table)
    memory.extend(bytes(-len(memory) % PAGE))
    facts[0] = 0
    words, strings = [len(texts[0])], b""
    at = STACK + 8 * (1 + sum(len(part) + 1 for part in texts) + 2 * len(facts))
    for part in texts:
        for text in part:
            words.append(at + len(strings))
            strings += text.encode() + b"\0"
        words.append(0)
    words += [number for fact in facts.items() for number in fact]
    page = struct.pack(f"<{len(words)}Q", *words) + strings
    last = struct.pack("<2Q", len(memory) // SECTOR, entry)
    return page.ljust(PAGE - len(last), b"\0") + last + memory


def run(program: Path, arguments: list[str], environment: dict[str, str]) -> int:
    """Run a program on the emulated processor, show what it writes, and return its code."""
    variables = [f"{key}={value}" for key, value in environment.items()]
    disk = disk_of(program.read_bytes(), [["program", *arguments], variables])
    cylinders = -(-len(disk) // CYLINDER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_rom(folder / "rom")
        (folder / "disk").write_bytes(disk.ljust(cylinders * CYLINDER, b"\0"))
        (folder / "rc").write_text(CONFIGURATION.format(folder=folder, cylinders=cylinders))
        (folder / "written").touch()
        subprocess.run(
            ["bochs", "-q", "-f", folder / "rc"],
            env={**os.environ, "TERM": "xterm"},
            input=b"continue\nquit\n",  # to its debugger, where it has one
            capture_output=True,
            check=False,
        )
        written = (folder / "written").read_text()
        print(written)
        last = written.splitlines()[-1:] or [""]
        if not last[0].startswith("exit "):
            print((folder / "log").read_text()[-4000:], file=sys.stderr)
            return 1
        return int(last[0].removeprefix("exit "))


if __name__ == "__main__":
    words = sys.argv[1:] or ["lanes::"]
    sys.exit(run(build_tests(), ["--test-threads=1", *words], {"SSCARD_SM2_BACKEND": "portable"}))
