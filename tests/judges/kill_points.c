/* Preloaded into the product (LD_PRELOAD): the process kills itself, as `kill -9` would, at a place that has a name.
 *   KILL_AT="before silver-commit 3"   just before the third file of that kind gets its name, or just after
 * Kinds: bronze-file, bronze-commit, silver-file, silver-commit, alert-commit, action-commit, ledger-commit, gold-commit,
 * compaction-commit, snapshot; and calls of librdkafka: offset-commit, alert-publish. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int met;

struct point {
  char when[16], kind[32];
  int number;
};

static struct point wanted(void) {
  struct point point = {"", "", 0};
  const char* text = getenv("KILL_AT");
  if (!text || sscanf(text, "%15s %31s %d", point.when, point.kind, &point.number) != 3) point.number = 0;
  return point;
}

static int ends_with(const char* path, const char* suffix) {
  size_t n = strlen(suffix), length = strlen(path);
  return length >= n && strcmp(path + length - n, suffix) == 0;
}

static int is_commit(const char* path, const char* table) {
  return strstr(path, table) && strstr(path, "/_delta_log/") && ends_with(path, ".json");
}

static int is_data(const char* path, const char* table) {
  return strstr(path, table) && !strstr(path, "/_delta_log/") && !strstr(path, "/_vitalake/") && ends_with(path, ".parquet");
}

/* Whether the file that is about to get its name says so. */
static int says(const char* path, const char* words) {
  char text[65536];
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  ssize_t n = read(file, text, sizeof text - 1);
  close(file);
  text[n < 0 ? 0 : n] = 0;
  return strstr(text, words) != NULL;
}

static int is_kind(const char* kind, const char* from, const char* to) {
  if (!strcmp(kind, "bronze-file")) return is_data(to, "/bronze/observation_stream/");
  if (!strcmp(kind, "bronze-commit")) return is_commit(to, "/bronze/observation_stream/");
  if (!strcmp(kind, "silver-file")) return is_data(to, "/silver/");
  if (!strcmp(kind, "silver-commit")) return is_commit(to, "/silver/");
  if (!strcmp(kind, "alert-commit")) return is_commit(to, "/ops/alert/");
  if (!strcmp(kind, "action-commit")) return is_commit(to, "/ops/action/");
  if (!strcmp(kind, "ledger-commit")) return is_commit(to, "/ops/ledger/");
  if (!strcmp(kind, "gold-commit")) return is_commit(to, "/gold/");
  if (!strcmp(kind, "compaction-commit")) return is_commit(to, "/") && says(from, "OPTIMIZE");
  if (!strcmp(kind, "snapshot")) return strstr(to, "/_vitalake/monitor/") && ends_with(to, ".snap");
  return 0;
}

/* Counts a thing of the kind asked for; whether it is the one to die at. What fails is none to die after. */
static int is_it(const struct point* point, int fits) {
  return point->number > 0 && fits && atomic_fetch_add(&met, 1) + 1 == point->number;
}

static void die_if(int now) {
  if (now) kill(getpid(), SIGKILL);
}

#define NEXT(name) \
  static __typeof__(name)* real; \
  if (!real) real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

#define AROUND(from, to, call) \
  const struct point point = wanted(); \
  const int fits = is_kind(point.kind, from, to), before = !strcmp(point.when, "before"); \
  die_if(before && is_it(&point, fits)); \
  const int result = call; \
  die_if(!before && is_it(&point, fits && result == 0)); \
  return result

int rename(const char* from, const char* to) {
  NEXT(rename);
  AROUND(from, to, real(from, to));
}
int link(const char* from, const char* to) {
  NEXT(link);
  AROUND(from, to, real(from, to));
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  NEXT(renameat2);
  AROUND(from, to, real(from_folder, from, to_folder, to, flags));
}

/* Of librdkafka, whose own header is not needed: pointers pass through. */
int rd_kafka_commit(void* handle, const void* offsets, int async) {
  NEXT(rd_kafka_commit);
  const struct point point = wanted();
  const int here = is_it(&point, !strcmp(point.kind, "offset-commit"));
  die_if(here && !strcmp(point.when, "before"));
  const int result = real(handle, offsets, async);
  die_if(here);
  return result;
}
/* How far the broker has the messages is told by the flush behind them. */
int rd_kafka_flush(void* handle, int timeout_ms) {
  NEXT(rd_kafka_flush);
  const struct point point = wanted();
  const int here = is_it(&point, !strcmp(point.kind, "alert-publish"));
  die_if(here && !strcmp(point.when, "before"));
  const int result = real(handle, timeout_ms);
  die_if(here);
  return result;
}
