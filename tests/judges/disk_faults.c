/* Preloaded into the product (LD_PRELOAD) to stage faults that a test cannot make otherwise, also as root:
 *   FAULT_VANISH=suffix   a file whose path ends so is removed just before it is opened for reading
 *   FAULT_DENY=suffix     opening such a file fails with EACCES
 *   FAULT_SPACE=prefix:bytes   after so many bytes written below the prefix, every write there fails with ENOSPC,
 *   FAULT_FREED=path      ... until there is a file of this name */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long written;

static int ends_with(const char* path, const char* name) {
  const char* suffix = getenv(name);
  size_t n = suffix ? strlen(suffix) : 0, length = strlen(path);
  return n > 0 && length >= n && strcmp(path + length - n, suffix) == 0;
}

static int refused(const char* path, int flags) {
  if (ends_with(path, "FAULT_VANISH") && (flags & O_ACCMODE) == O_RDONLY) unlink(path);
  if (ends_with(path, "FAULT_DENY") && (flags & O_ACCMODE) == O_RDONLY) {
    errno = EACCES;
    return 1;
  }
  return 0;
}

/* Whether `count` more bytes fit on the pretended disk; counts them if so. */
static int no_space(int fd, size_t count) {
  const char* rule = getenv("FAULT_SPACE");
  const char* colon = rule ? strrchr(rule, ':') : NULL;
  const char* freed = getenv("FAULT_FREED");
  if (!colon || (freed && access(freed, F_OK) == 0)) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path);
  if (n < colon - rule || strncmp(path, rule, (size_t)(colon - rule)) != 0) return 0;
  if (atomic_fetch_add(&written, (long)count) + (long)count <= atol(colon + 1)) return 0;
  errno = ENOSPC;
  return 1;
}

#define NEXT(name) \
  static __typeof__(name)* real; \
  if (!real) real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
  int name(const char* path, int flags, ...) { \
    NEXT(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return refused(path, flags) ? -1 : real(path, flags, mode); \
  }
#define OPENAT(name) \
  int name(int folder, const char* path, int flags, ...) { \
    NEXT(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return refused(path, flags) ? -1 : real(folder, path, flags, mode); \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name) \
  FILE* name(const char* path, const char* mode) { \
    NEXT(name); \
    return refused(path, mode[0] == 'r' ? O_RDONLY : O_WRONLY) ? NULL : real(path, mode); \
  }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int fd, const void* data, size_t count) {
  NEXT(write);
  return no_space(fd, count) ? -1 : real(fd, data, count);
}
ssize_t pwrite(int fd, const void* data, size_t count, off_t at) {
  NEXT(pwrite);
  return no_space(fd, count) ? -1 : real(fd, data, count, at);
}
ssize_t pwrite64(int fd, const void* data, size_t count, off64_t at) {
  NEXT(pwrite64);
  return no_space(fd, count) ? -1 : real(fd, data, count, at);
}
ssize_t writev(int fd, const struct iovec* parts, int n) {
  NEXT(writev);
  size_t count = 0;
  for (int i = 0; i < n; i++) count += parts[i].iov_len;
  return no_space(fd, count) ? -1 : real(fd, parts, n);
}
/* Copies inside the kernel are asked for more than there is: counted by what was copied. */
static ssize_t copied(ssize_t count) {
  if (count > 0) atomic_fetch_add(&written, (long)count);
  return count;
}
ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t count, unsigned flags) {
  NEXT(copy_file_range);
  return no_space(out, 0) ? -1 : copied(real(in, in_at, out, out_at, count, flags));
}
ssize_t sendfile(int out, int in, off_t* at, size_t count) {
  NEXT(sendfile);
  return no_space(out, 0) ? -1 : copied(real(out, in, at, count));
}
ssize_t sendfile64(int out, int in, off64_t* at, size_t count) {
  NEXT(sendfile64);
  return no_space(out, 0) ? -1 : copied(real(out, in, at, count));
}
