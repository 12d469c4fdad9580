/* Put before libc (LD_PRELOAD): lets the nth writing call on files below a folder fail as a disk fails, whoever makes it
   (DuckDB, SQLite, Arrow, Python). A process says by oversight_fail() what is to fail in it; see full_disk.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long taken;
static long nth;
static int number, stays, only_sync, telling = -1;
static char below[PATH_MAX];

/* What is forced to disk, and what makes a file shorter, which never fails for want of room. */
enum { PLAIN, SYNC, CUT };

/* From now on: count; at the nth call, and with `stay` at all after it, fail with this number. 0: only count. */
void oversight_fail(const char *folder, long at, int error, int stay, int sync) {
    strncpy(below, folder, sizeof below - 1);
    taken = 0;
    nth = at;
    number = error;
    stays = stay;
    only_sync = sync;
}

long oversight_taken(void) { return taken; }

/* From now on put what kind each counted call is of, and its path, into this file, a line each. */
void oversight_tell(int file) { telling = file; }

static int fails(int fd, int kind) {
    char link[64], path[PATH_MAX];
    if (!below[0] || (only_sync && kind != SYNC) || (kind == CUT && number == ENOSPC)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    if (strncmp(path, below, strlen(below))) return 0;
    long now = ++taken;
    if (telling >= 0) {
        char line[PATH_MAX + 16];
        syscall(SYS_write, telling, line, snprintf(line, sizeof line, "%d %s\n", kind, path));
    }
    if (!nth || now < nth || (now > nth && !stays)) return 0;
    errno = number;
    return 1;
}

#define WRAP(type, name, kind, parameters, arguments)                        \
    type name parameters {                                                   \
        static type(*real) parameters;                                       \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);       \
        return fails(fd, kind) ? -1 : real arguments;                        \
    }

WRAP(ssize_t, write, PLAIN, (int fd, const void *b, size_t n), (fd, b, n))
WRAP(ssize_t, pwrite, PLAIN, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
WRAP(ssize_t, pwrite64, PLAIN, (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at))
WRAP(ssize_t, writev, PLAIN, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(int, ftruncate, CUT, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, CUT, (int fd, off64_t n), (fd, n))
WRAP(int, fsync, SYNC, (int fd), (fd))
WRAP(int, fdatasync, SYNC, (int fd), (fd))
