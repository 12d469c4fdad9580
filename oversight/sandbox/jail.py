"""What a process gives up before it reads a user's SQL: files, sockets, processes, memory, time.

Called in the child after the database is open. Nothing here can be undone by the process itself.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys

# (x86_64, aarch64) numbers; None where the architecture has no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None),
    "creat": (85, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "truncate": (76, 45),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "utimensat": (280, 88),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvmsg": (47, 212),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "kill": (62, 129),
    "tkill": (200, 130),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
}
_CLONE, _CLONE3, _TGKILL, _SECCOMP = (56, 220), (435, 435), (234, 131), (317, 277)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000
_NEWUSER, _NEWNET, _NEWIPC = 0x10000000, 0x40000000, 0x08000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def leave_network() -> bool:
    """A network of one's own that leads nowhere, where the system allows it. Before any thread is started."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_NEWUSER | _NEWNET | _NEWIPC) == 0 or libc.unshare(_NEWNET | _NEWIPC) == 0)


def die_with_parent() -> None:
    """No process is left behind when the server is killed; and no new right is ever gained."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(1, 9, 0, 0, 0)
        libc.prctl(38, 1, 0, 0, 0)


def limit(memory_bytes: int, cpu_seconds: int) -> None:
    """Kernel limits on memory, processor time, file size, processes and open files."""
    for what, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(what, (value, value))


def filter_system_calls() -> bool:
    """Refuse, for every thread of this process, whatever opens, starts, sends or signals. False where not possible."""
    found = _ARCHITECTURES.get(platform.machine())
    if found is None or not sys.platform.startswith("linux"):
        return False
    column, architecture = found
    code = _filter(column, architecture, os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    libc = ctypes.CDLL(None, use_errno=True)
    # Mode "filter", for all threads at once.
    return bool(libc.syscall(_SECCOMP[column], 1, 1, ctypes.byref(program)) == 0)


def _filter(column: int, architecture: int, own_pid: int) -> bytes:
    """The filter as the kernel reads it: eight bytes an instruction (code, jump if true, if false, operand)."""

    def step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, operand)

    refuse, absent = step(_RETURN, _ERRNO | _EPERM), step(_RETURN, _ERRNO | _ENOSYS)
    steps = [step(_LOAD, 4), step(_EQUAL, architecture, 1, 0), step(_RETURN, _KILL), step(_LOAD, 0)]
    # The second set of numbers of x86_64 would go round the list.
    steps += [step(_AT_LEAST, 0x40000000, 0, 1), refuse]
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            steps += [step(_EQUAL, number, 0, 1), refuse]
    # Without clone3 the C library falls back to clone, whose flags can be read: threads yes, processes no.
    steps += [step(_EQUAL, _CLONE3[column], 0, 1), absent]
    steps += [step(_EQUAL, _CLONE[column], 0, 4), step(_LOAD, 16), step(_HAS, _CLONE_THREAD, 1, 0), refuse]
    steps += [step(_RETURN, _ALLOW)]
    # A signal to oneself is how a process aborts; to anyone else it is an attack.
    steps += [step(_EQUAL, _TGKILL[column], 0, 3), step(_LOAD, 16), step(_EQUAL, own_pid, 1, 0), refuse]
    steps += [step(_RETURN, _ALLOW)]
    return b"".join(steps)
