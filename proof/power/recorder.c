/* Records what a program does to the files of one folder, in the order in which it does it.
 *
 * Loaded with LD_PRELOAD; Linux, glibc, 64 bits. The environment says what to do:
 *   PROOF_RECORD_FOLDER  the folder; its direct children are recorded, not deeper ones
 *   PROOF_RECORD_TRACE   the file that the records are appended to; the format is in trace.py
 *   PROOF_FAULT_FILE     optional: a file that says which operation fails now, see `injected`
 *
 * A write, truncation, creation, removal or renaming is recorded BEFORE it is done, and a sync AFTER
 * it has returned: a process that is killed at any moment has left a record of all it may have done,
 * and of no sync that may not have been. An operation that then fails, or a write that is cut short,
 * is followed by a record that takes it back. One mutex is held over record and operation, so the
 * order of records is the order of operations. Processes may share a trace (forked ones do) if no two
 * write the same file: what one does because of what another has done is recorded after it.
 *
 * Which file a descriptor stands for is asked of /proc/self/fd each time. There is no table to keep,
 * hence no need to see close or dup, and none that a vfork child could spoil; renamed and removed
 * files come out right. System calls are made directly, so nothing here is recorded itself.
 *
 * What cannot be followed (a writable shared mapping, sendfile into a file, hard links, O_SYNC, ...)
 * is recorded as UNSEEN, which trace.py refuses: a proof must not rest on a trace with holes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, TRUNCATE, CREATE, UNLINK, RENAME, SYNC, SYNC_FAILED, UNDONE, UNSEEN };

/* 48 bytes without padding, followed by name, target, data, and the sequence again: a record that
 * was cut short by a kill does not end in it. */
struct header {
    uint32_t magic, kind, process;
    uint16_t name_length, target_length;
    uint64_t sequence, offset, size, data_length;
};

#define MAGIC 0x31525750u /* "PWR1" */
#define EFFECTS "effects.log"
#define FOLDER_ITSELF "."
#define NAME_SIZE (NAME_MAX + 1)
#define AT_POSITION (-1)
#define TRACE_DESCRIPTOR_MIN 500 /* out of the way of programs that count on low numbers */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static const char *fault_file;
static int trace = -1; /* -1: nothing is recorded */
static uint32_t process;
static uint64_t sequence; /* of the next record of this process */

static void fail(const char *what, const char *detail)
{
    dprintf(2, "recorder: %s: %s (%s)\n", what, detail, strerror(errno));
    abort();
}

static void after_fork(void)
{
    pthread_mutex_init(&mutex, NULL);
    process = (uint32_t)getpid();
    sequence = 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *wanted = getenv("PROOF_RECORD_FOLDER"), *path = getenv("PROOF_RECORD_TRACE");
    if (!wanted || !path)
        return;
    if (!realpath(wanted, folder))
        fail("no folder", wanted);
    fault_file = getenv("PROOF_FAULT_FILE");
    int low = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (low < 0)
        fail("cannot open the trace", path);
    after_fork();
    pthread_atfork(NULL, NULL, after_fork);
    trace = fcntl(low, F_DUPFD_CLOEXEC, TRACE_DESCRIPTOR_MIN);
    if (trace < 0)
        fail("cannot keep the trace open", path);
    syscall(SYS_close, low);
}

/* ------------------------------------------------------------------------------- which file -- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

/* Not recorded: what is memory of the running system, and the mark, written through a mapping. */
static bool recorded(const char *name)
{
    return !ends_with(name, "-shm") && !ends_with(name, ".lock") && !ends_with(name, ".mark");
}

/* Whether `path`, absolute and without links, is the folder or a recorded child; its name if so. */
static bool in_folder(const char *path, char *name)
{
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0)
        return false;
    if (path[length] == '\0')
        return strcpy(name, FOLDER_ITSELF) != NULL;
    const char *child = path + length + 1;
    if (path[length] != '/' || strchr(child, '/') || strlen(child) > NAME_MAX || !recorded(child))
        return false;
    return strcpy(name, child) != NULL;
}

static bool open_file(int descriptor, char *name)
{
    char link[64], path[PATH_MAX];
    if (trace < 0 || descriptor < 0)
        return false;
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    errno = saved;
    if (length < 0)
        return false; /* a bad descriptor: the operation itself will say so */
    path[length] = '\0';
    return !ends_with(path, " (deleted)") && in_folder(path, name);
}

/* The same for a path, whose last part may not exist. */
static bool named_file(int directory, const char *path, char *name)
{
    char parent[PATH_MAX], resolved[PATH_MAX * 2];
    if (trace < 0)
        return false;
    const char *slash = strrchr(path, '/'), *child = slash ? slash + 1 : path;
    int above = slash ? (int)(child - path) : 0, saved = errno, length;
    if (path[0] == '/')
        length = snprintf(parent, sizeof parent, "%.*s", above, path);
    else if (directory == AT_FDCWD)
        length = snprintf(parent, sizeof parent, "./%.*s", above, path);
    else
        length = snprintf(parent, sizeof parent, "/proc/self/fd/%d/%.*s", directory, above, path);
    bool found = length < PATH_MAX && *child && realpath(parent, resolved);
    errno = saved;
    if (!found || strcmp(resolved, folder) != 0 || strlen(child) > NAME_MAX)
        return false;
    strcat(strcat(resolved, "/"), child);
    return in_folder(resolved, name);
}

/* --------------------------------------------------------------------------------- recording -- */

static void record(enum kind kind, const char *name, const char *target, uint64_t offset,
                   uint64_t size, const void *data, size_t data_length)
{
    struct header header = {MAGIC, kind, process, (uint16_t)strlen(name), (uint16_t)strlen(target),
                            sequence, offset, size, data_length};
    struct iovec parts[] = {{&header, sizeof header},
                            {(void *)name, header.name_length},
                            {(void *)target, header.target_length},
                            {(void *)data, data_length},
                            {&sequence, sizeof sequence}};
    size_t whole = 0;
    for (int i = 0; i < 5; i++)
        whole += parts[i].iov_len;
    if (syscall(SYS_writev, trace, parts, 5) != (ssize_t)whole)
        fail("the trace is not complete any more", name);
    sequence++;
}

/* The operation recorded last has done only `size` bytes of its work, or nothing. */
static void undone(const char *name, uint64_t size)
{
    int saved = errno;
    record(UNDONE, name, "", sequence - 1, size, NULL, 0);
    errno = saved;
}

/* Ends an operation that was recorded as one. */
static long finish(const char *name, long result)
{
    if (result < 0)
        undone(name, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

static void unseen(const char *name, const char *operation)
{
    pthread_mutex_lock(&mutex);
    record(UNSEEN, name, operation, 0, 0, NULL, 0);
    pthread_mutex_unlock(&mutex);
}

/* The error that the fault file asks for now, or 0. Its one line is `<operation> <error> <suffix>`:
 * `write`, `ftruncate` or `fsync` (fdatasync too) of files whose names end in the suffix, `*` for
 * all and the folder. Empty or absent: none. The effects of a program are never held back. */
static int injected(const char *operation, const char *name)
{
    static const struct { const char *name; int number; } errors[] = {
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};
    char line[256] = "", wanted[32], error[32], suffix[128];
    if (!fault_file || strcmp(name, EFFECTS) == 0)
        return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, fault_file, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = syscall(SYS_read, file, line, sizeof line - 1);
    syscall(SYS_close, file);
    int fields = length <= 0 ? EOF : sscanf(line, "%31s %31s %127s", wanted, error, suffix);
    if (fields == EOF)
        return 0;
    if (fields == 3 && strcmp(wanted, "fdatasync") == 0)
        strcpy(wanted, "fsync");
    bool known = fields == 3 && (!strcmp(wanted, "write") || !strcmp(wanted, "ftruncate") ||
                                 !strcmp(wanted, "fsync"));
    for (size_t i = 0; known && i < sizeof errors / sizeof *errors; i++)
        if (strcmp(error, errors[i].name) == 0) {
            bool matches = strcmp(suffix, "*") == 0 || ends_with(name, suffix);
            return matches && strcmp(wanted, operation) == 0 ? errors[i].number : 0;
        }
    fail("not a fault", line);
    return 0;
}

/* ------------------------------------------------------------------------------------ writes -- */

static long write_now(int file, const void *data, size_t length, off_t offset)
{
    if (offset == AT_POSITION)
        return syscall(SYS_write, file, data, length);
    return syscall(SYS_pwrite64, file, data, length, offset);
}

static ssize_t traced_write(int file, const void *data, size_t length, off_t offset)
{
    char name[NAME_SIZE];
    struct stat status;
    if (length == 0 || offset < AT_POSITION || !open_file(file, name))
        return write_now(file, data, length, offset);
    pthread_mutex_lock(&mutex);
    int error = injected("write", name);
    ssize_t result = -1;
    if (!error) {
        off_t at = offset == AT_POSITION ? lseek(file, 0, SEEK_CUR) : offset;
        if (fcntl(file, F_GETFL) & O_APPEND && fstat(file, &status) == 0)
            at = status.st_size; /* pwrite appends as well, see its manual page */
        record(WRITE, name, "", (uint64_t)at, length, data, length);
        result = write_now(file, data, length, offset);
        if (result != (ssize_t)length)
            undone(name, result < 0 ? 0 : (uint64_t)result);
    }
    pthread_mutex_unlock(&mutex);
    if (error)
        errno = error;
    return result;
}

/* Many pieces are written as one, which is what the kernel makes of them. */
static ssize_t traced_gather(int file, const struct iovec *parts, int count, off_t offset)
{
    char name[NAME_SIZE];
    if (count < 0 || count > IOV_MAX || !open_file(file, name)) {
        if (offset == AT_POSITION)
            return syscall(SYS_writev, file, parts, count);
        return syscall(SYS_pwritev, file, parts, count, offset, 0L);
    }
    size_t length = 0, done = 0;
    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    char *data = malloc(length + 1);
    if (!data)
        fail("no memory", name);
    for (int i = 0; i < count; done += parts[i].iov_len, i++)
        memcpy(data + done, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = traced_write(file, data, length, offset);
    free(data);
    return result;
}

#define POSITION(offset) ((offset) < 0 ? AT_POSITION - 1 : (offset)) /* negative: EINVAL */
#define WRITES(pwrite, pwritev, pwritev2, offset_t)                                              \
    ssize_t pwrite(int file, const void *data, size_t length, offset_t offset)                   \
    { return traced_write(file, data, length, POSITION(offset)); }                               \
    ssize_t pwritev(int file, const struct iovec *parts, int count, offset_t offset)             \
    { return traced_gather(file, parts, count, POSITION(offset)); }                              \
    ssize_t pwritev2(int file, const struct iovec *parts, int count, offset_t offset, int flags) \
    {                                                                                            \
        char name[NAME_SIZE];                                                                    \
        if (flags == 0)                                                                          \
            return traced_gather(file, parts, count, offset);                                    \
        if (open_file(file, name))                                                               \
            unseen(name, "pwritev2 with flags");                                                 \
        return syscall(SYS_pwritev2, file, parts, count, offset, 0L, flags);                     \
    }
WRITES(pwrite, pwritev, pwritev2, off_t)
WRITES(pwrite64, pwritev64, pwritev64v2, off64_t)

ssize_t write(int file, const void *data, size_t length)
{
    return traced_write(file, data, length, AT_POSITION);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return traced_gather(file, parts, count, AT_POSITION);
}

/* ------------------------------------------------------------------------- sizes and syncing -- */

/* By path when there is one, else by descriptor. */
static int traced_truncate(const char *path, int file, off_t size)
{
    char name[NAME_SIZE];
    bool seen = path ? named_file(AT_FDCWD, path, name) : open_file(file, name);
    if (seen)
        pthread_mutex_lock(&mutex);
    int error = seen ? injected("ftruncate", name) : 0;
    if (error) {
        pthread_mutex_unlock(&mutex);
        errno = error;
        return -1;
    }
    if (seen)
        record(TRUNCATE, name, "", 0, (uint64_t)size, NULL, 0);
    long result = path ? syscall(SYS_truncate, path, size) : syscall(SYS_ftruncate, file, size);
    return (int)(seen ? finish(name, result) : result);
}

int ftruncate(int file, off_t size) { return traced_truncate(NULL, file, size); }
int ftruncate64(int file, off64_t size) { return traced_truncate(NULL, file, size); }
int truncate(const char *path, off_t size) { return traced_truncate(path, -1, size); }
int truncate64(const char *path, off64_t size) { return traced_truncate(path, -1, size); }

/* A sync that fails is recorded too: what it should have saved may be lost for good, even if the
 * next one succeeds, because the kernel has forgotten that those pages are not on the disk. */
static int traced_sync(int file, long number)
{
    char name[NAME_SIZE];
    if (!open_file(file, name))
        return (int)syscall(number, file);
    pthread_mutex_lock(&mutex);
    int error = injected("fsync", name);
    int result = error ? -1 : (int)syscall(number, file);
    if (!error)
        error = errno;
    record(result == 0 ? SYNC : SYNC_FAILED, name, "", 0, 0, NULL, 0);
    pthread_mutex_unlock(&mutex);
    if (result != 0)
        errno = error;
    return result;
}

int fsync(int file) { return traced_sync(file, SYS_fsync); }
int fdatasync(int file) { return traced_sync(file, SYS_fdatasync); }

/* ------------------------------------------------------------------------------------- names -- */

static int traced_open(int directory, const char *path, int flags, mode_t mode)
{
    char name[NAME_SIZE];
    struct stat status;
    if (!(flags & (O_CREAT | O_TRUNC | O_DSYNC)) || !named_file(directory, path, name))
        return (int)syscall(SYS_openat, directory, path, flags, mode);
    if (flags & O_DSYNC)
        unseen(name, "open with O_SYNC or O_DSYNC");
    pthread_mutex_lock(&mutex);
    bool exists = fstatat(directory, path, &status, 0) == 0;
    bool creates = !exists && flags & O_CREAT;
    bool cuts = exists && flags & O_TRUNC && !(flags & O_EXCL) && status.st_size > 0;
    if (creates || cuts)
        record(creates ? CREATE : TRUNCATE, name, "", 0, 0, NULL, 0);
    long result = syscall(SYS_openat, directory, path, flags, mode);
    if (result < 0 && (creates || cuts))
        undone(name, 0);
    pthread_mutex_unlock(&mutex);
    return (int)result;
}

#define HAS_MODE(flags) ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE)
#define OPENS(open, openat, creat)                                    \
    int open(const char *path, int flags, ...)                        \
    {                                                                 \
        va_list rest;                                                 \
        va_start(rest, flags);                                        \
        mode_t mode = HAS_MODE(flags) ? va_arg(rest, mode_t) : 0;     \
        va_end(rest);                                                 \
        return traced_open(AT_FDCWD, path, flags, mode);              \
    }                                                                 \
    int openat(int directory, const char *path, int flags, ...)       \
    {                                                                 \
        va_list rest;                                                 \
        va_start(rest, flags);                                        \
        mode_t mode = HAS_MODE(flags) ? va_arg(rest, mode_t) : 0;     \
        va_end(rest);                                                 \
        return traced_open(directory, path, flags, mode);             \
    }                                                                 \
    int creat(const char *path, mode_t mode)                          \
    { return traced_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
OPENS(open, openat, creat)
OPENS(open64, openat64, creat64)

int unlinkat(int directory, const char *path, int flags)
{
    char name[NAME_SIZE];
    if (flags & AT_REMOVEDIR || !named_file(directory, path, name))
        return (int)syscall(SYS_unlinkat, directory, path, flags);
    pthread_mutex_lock(&mutex);
    record(UNLINK, name, "", 0, 0, NULL, 0);
    return (int)finish(name, syscall(SYS_unlinkat, directory, path, flags));
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int renameat2(int old, const char *from, int new, const char *to, unsigned flags)
{
    char source[NAME_SIZE] = "", target[NAME_SIZE] = "";
    bool leaves = named_file(old, from, source), arrives = named_file(new, to, target);
    if (!leaves && !arrives)
        return (int)syscall(SYS_renameat2, old, from, new, to, flags);
    pthread_mutex_lock(&mutex);
    if (!leaves || flags)
        record(UNSEEN, target, "renaming into the folder, or with flags", 0, 0, NULL, 0);
    else
        record(arrives ? RENAME : UNLINK, source, target, 0, 0, NULL, 0);
    return (int)finish(source, syscall(SYS_renameat2, old, from, new, to, flags));
}

int renameat(int old, const char *from, int new, const char *to)
{
    return renameat2(old, from, new, to, 0);
}

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* -------------------------------------------------------------------- what cannot be followed -- */

#define MAPS(mmap, offset_t)                                                                  \
    void *mmap(void *at, size_t length, int access, int flags, int file, offset_t offset)     \
    {                                                                                         \
        char name[NAME_SIZE];                                                                 \
        if (access & PROT_WRITE && flags & MAP_SHARED && open_file(file, name))               \
            unseen(name, "a writable mapping");                                               \
        return (void *)syscall(SYS_mmap, at, length, access, flags, file, offset);            \
    }
MAPS(mmap, off_t)
MAPS(mmap64, off64_t)

/* Calls whose first argument named `file` or `path` is what changes, passed on unchanged. */
#define BY_FILE(result, call, file, parameters, arguments)      \
    result call parameters                                      \
    {                                                           \
        char name[NAME_SIZE];                                   \
        if (open_file(file, name))                              \
            unseen(name, #call);                                \
        return ((result(*) parameters)dlsym(RTLD_NEXT, #call)) arguments; \
    }
#define BY_PATH(result, call, directory, path, condition, parameters, arguments) \
    result call parameters                                                       \
    {                                                                            \
        char name[NAME_SIZE];                                                    \
        if ((condition) && named_file(directory, path, name))                    \
            unseen(name, #call);                                                 \
        return ((result(*) parameters)dlsym(RTLD_NEXT, #call)) arguments;        \
    }
BY_FILE(int, fallocate, file, (int file, int mode, off_t at, off_t size), (file, mode, at, size))
BY_FILE(int, fallocate64, file, (int file, int mode, off64_t at, off64_t size), (file, mode, at, size))
BY_FILE(int, posix_fallocate, file, (int file, off_t at, off_t size), (file, at, size))
BY_FILE(int, posix_fallocate64, file, (int file, off64_t at, off64_t size), (file, at, size))
BY_FILE(ssize_t, sendfile, file, (int file, int in, off_t *at, size_t size), (file, in, at, size))
BY_FILE(ssize_t, sendfile64, file, (int file, int in, off64_t *at, size_t size), (file, in, at, size))
BY_FILE(ssize_t, copy_file_range, file,
        (int in, off64_t *from, int file, off64_t *to, size_t size, unsigned flags),
        (in, from, file, to, size, flags))
BY_FILE(ssize_t, splice, file,
        (int in, off64_t *from, int file, off64_t *to, size_t size, unsigned flags),
        (in, from, file, to, size, flags))
BY_PATH(int, link, AT_FDCWD, to, true, (const char *from, const char *to), (from, to))
BY_PATH(int, linkat, new, to, true, (int old, const char *from, int new, const char *to, int flags),
        (old, from, new, to, flags))
BY_PATH(int, symlink, AT_FDCWD, path, true, (const char *to, const char *path), (to, path))
BY_PATH(int, symlinkat, directory, path, true, (const char *to, int directory, const char *path),
        (to, directory, path))
BY_PATH(int, remove, AT_FDCWD, path, true, (const char *path), (path))
BY_PATH(FILE *, fopen, AT_FDCWD, path, strpbrk(mode, "wa+"), (const char *path, const char *mode),
        (path, mode))
BY_PATH(FILE *, fopen64, AT_FDCWD, path, strpbrk(mode, "wa+"), (const char *path, const char *mode),
        (path, mode))
