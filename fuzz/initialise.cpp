// Short inputs make too few operations to fill a pool. Left to itself, libFuzzer starts with a few bytes
// and lengthens them only after many thousand runs, which takes minutes here. Flags that are given on the
// command line come later and win.

#include <vector>

extern "C" int LLVMFuzzerInitialize(int* count, char*** words);

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  static char any_length[] = "-len_control=0";
  static char longest[] = "-max_len=1500";
  static std::vector<char*> extended(*words, *words + *count);
  extended.insert(extended.begin() + 1, {any_length, longest});
  extended.push_back(nullptr);
  *count = static_cast<int>(extended.size()) - 1;
  *words = extended.data();
  return 0;
}
