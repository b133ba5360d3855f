// SQLite can load extensions at run time, which a static program can't do without carrying the C library's loader with
// it. Snapshots need none: these take the loader's place, and say so.
#include <stddef.h>

void* dlopen(const char* path, int flags);
void* dlsym(void* handle, const char* name);
char* dlerror(void);
int dlclose(void* handle);

void* dlopen(const char* path, int flags) {
  (void)path;
  (void)flags;
  return NULL;
}
void* dlsym(void* handle, const char* name) {
  (void)handle;
  (void)name;
  return NULL;
}
char* dlerror(void) {
  static char text[] = "this program loads nothing at run time";
  return text;
}
int dlclose(void* handle) {
  (void)handle;
  return -1;
}
