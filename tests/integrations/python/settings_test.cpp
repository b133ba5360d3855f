#include "integrations/python/settings.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tarn::python {
namespace {

bool ignores(std::vector<std::string> words) {
  words.insert(words.begin(), "python3");
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return ignores_environment(static_cast<int>(arguments.size()), arguments.data());
}

TEST(TheCommandLine, TellsWhetherPythonIgnoresItsEnvironment) {
  EXPECT_TRUE(ignores({"-E"}));
  EXPECT_TRUE(ignores({"-I", "-c", "pass"}));
  EXPECT_TRUE(ignores({"-BsE", "app.py"}));
  EXPECT_TRUE(ignores({"-W", "error", "-E", "app.py"}));
  EXPECT_TRUE(ignores({"-Xdev", "-I"}));
  EXPECT_FALSE(ignores({}));
  EXPECT_FALSE(ignores({"app.py", "-E"}));
  EXPECT_FALSE(ignores({"-c", "pass", "-E"}));
  EXPECT_FALSE(ignores({"-m", "mod", "-I"}));
  EXPECT_FALSE(ignores({"-mImodule"}));
  EXPECT_FALSE(ignores({"-WE"}));
  EXPECT_FALSE(ignores({"-W", "-E", "app.py"}));
  EXPECT_FALSE(ignores({"-"}));
}

TEST(PythonMalloc, NamesAnotherAllocatorUnlessItIsDefaultOrDebug) {
  EXPECT_FALSE(names_other_allocator(nullptr));
  EXPECT_FALSE(names_other_allocator(""));
  EXPECT_FALSE(names_other_allocator("default"));
  EXPECT_FALSE(names_other_allocator("debug"));
  EXPECT_TRUE(names_other_allocator("malloc"));
  EXPECT_TRUE(names_other_allocator("pymalloc_debug"));
  EXPECT_TRUE(names_other_allocator("mimalloc"));
}

}  // namespace
}  // namespace tarn::python
