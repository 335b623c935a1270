/* Faults of disk and clock for one process, without rights and without tools: loaded before libc (LD_PRELOAD), it
 * stands between the program and what it calls. Used by tests/suite/faults.rs; only the C compiler is needed.
 *
 * COWORK_KILL_AT_SYNC=N   the Nth sync of a file does not happen, and the process dies as by a power cut
 * COWORK_FULL=FILE        while FILE exists, regular files can't be written: the disk is full
 * COWORK_SYNC_FAILS=FILE  while FILE exists, syncs fail with an I/O error; if FILE holds a path, those of files alone whose
 *                         path begins with it
 * COWORK_CLOCK=FILE       eight bytes: seconds that the wall clock is off; the monotonic clock is left alone
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long kill_at;
static atomic_long syncs;
static const char *full, *sync_fails;
static const volatile int64_t *clock_off;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("COWORK_KILL_AT_SYNC"), *off = getenv("COWORK_CLOCK");
    kill_at = at ? atol(at) : 0;
    full = getenv("COWORK_FULL");
    sync_fails = getenv("COWORK_SYNC_FAILS");
    if (off) {
        int file = open(off, O_RDONLY);
        void *place = file < 0 ? MAP_FAILED : mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
        clock_off = place == MAP_FAILED ? 0 : place;
    }
}

static int stands(const char *flag) {
    int before = errno, found = flag && access(flag, F_OK) == 0;
    errno = before;
    return found;
}

static int is_full(int file) {
    struct stat what;
    return stands(full) && fstat(file, &what) == 0 && S_ISREG(what.st_mode);
}

/* Whether the flag is for this file, too. Files without a name have a path all the same: that of their folder. */
static int is_meant(int file) {
    char place[64], wanted[4096] = {0}, path[4096] = {0};
    int flag = open(sync_fails, O_RDONLY | O_CLOEXEC);
    ssize_t length = flag < 0 ? 0 : read(flag, wanted, sizeof wanted - 1);
    if (flag >= 0)
        close(flag);
    snprintf(place, sizeof place, "/proc/self/fd/%d", file);
    return length <= 0 || (readlink(place, path, sizeof path - 1) > 0 && strncmp(path, wanted, length) == 0);
}

static int sync_fault(int file) {
    if (kill_at && atomic_fetch_add(&syncs, 1) + 1 == kill_at)
        kill(getpid(), SIGKILL);
    if (stands(sync_fails) && is_meant(file)) {
        errno = EIO;
        return -1;
    }
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define NO_SPACE(file) if (is_full(file)) { errno = ENOSPC; return -1; }

int fsync(int file) { return sync_fault(file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return sync_fault(file) ? -1 : REAL(fdatasync)(file); }
int syncfs(int file) { return sync_fault(file) ? -1 : REAL(syncfs)(file); }
ssize_t write(int file, const void *bytes, size_t count) { NO_SPACE(file) return REAL(write)(file, bytes, count); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    NO_SPACE(file) return REAL(pwrite)(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    NO_SPACE(file) return REAL(pwrite64)(file, bytes, count, at);
}
int clock_gettime(clockid_t which, struct timespec *now) {
    int result = REAL(clock_gettime)(which, now);
    if (result == 0 && which == CLOCK_REALTIME && clock_off)
        now->tv_sec += *clock_off;
    return result;
}
