// SQLite can load extensions at run time, which a static program can't do without carrying the C library's loader with
// it. Snapshots need none: these take the loader's place, and say so.

extern "C" {

void* dlopen(const char* path, int flags);
void* dlsym(void* handle, const char* name);
char* dlerror();
int dlclose(void* handle);

void* dlopen(const char* /*path*/, int /*flags*/) { return nullptr; }
void* dlsym(void* /*handle*/, const char* /*name*/) { return nullptr; }
char* dlerror() {
  static char text[] = "this program loads nothing at run time";
  return text;
}
int dlclose(void* /*handle*/) { return -1; }

}  // extern "C"
