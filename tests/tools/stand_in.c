/* A stand-in for libtarn-python.so: leaves a report when a Python exits, and is on nothing.
 *
 *   STAND_IN_REPORT   a file with the report's text, in which @PID@ and @PARENT@ are replaced;
 *                     unset: no report. What the file says needn't be true, nor a report.
 *   STAND_IN_MESSAGE  a line for standard error, written when a Python starts
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int in_python(void) { return dlsym(RTLD_DEFAULT, "PyMem_SetAllocator") != NULL; }

static void put_with_ids(FILE* report, char* text, size_t size) {
  char* const end = text + size;
  while (text < end) {
    const size_t left = (size_t)(end - text);
    if (left >= 5 && memcmp(text, "@PID@", 5) == 0) {
      fprintf(report, "%ld", (long)getpid());
      text += 5;
    } else if (left >= 8 && memcmp(text, "@PARENT@", 8) == 0) {
      fprintf(report, "%ld", (long)getppid());
      text += 8;
    } else {
      fputc(*text++, report);
    }
  }
}

__attribute__((constructor)) static void say_message(void) {
  const char* message = getenv("STAND_IN_MESSAGE");
  if (message != NULL && in_python()) {
    fprintf(stderr, "%s\n", message);
  }
}

__attribute__((destructor)) static void leave_report(void) {
  const char* folder = getenv("TARN_REPORT_DIR");
  const char* template_path = getenv("STAND_IN_REPORT");
  if (folder == NULL || template_path == NULL || !in_python()) {
    return;
  }
  FILE* template = fopen(template_path, "r");
  if (template == NULL) {
    return;
  }
  static char text[1 << 20];
  const size_t size = fread(text, 1, sizeof text, template);
  fclose(template);
  char path[4096];
  snprintf(path, sizeof path, "%s/%ld", folder, (long)getpid());
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return;
  }
  FILE* report = fdopen(descriptor, "w");
  put_with_ids(report, text, size);
  fclose(report);
}
