// Uses the built-in types of an installed Tarn.

#include <cstdio>

#include <tarn/builtins.h>

int main() {
  tarn::ObjectHeap heap;
  tarn::Builtins builtins(heap);
  tarn::Ref<tarn::Object> large = tarn::power(*builtins.integer(2), *builtins.integer(100));
  std::puts(tarn::repr(*builtins.list({large, builtins.string("text")})).c_str());
}
