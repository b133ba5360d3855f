#include "tools/cli/program.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "temporary_folder.h"
#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

// In a folder of its own, since names without a slash are looked for in the current one.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    std::filesystem::create_directories("bin");
    std::filesystem::create_directories("second");
  }
  void TearDown() override { std::filesystem::current_path(before_); }

  [[nodiscard]] std::string path() const {
    return (folder_.path() / "bin").string() + ":" + (folder_.path() / "second").string();
  }
  [[nodiscard]] std::string in(const char* name) const { return (folder_.path() / name).string(); }

  [[nodiscard]] std::string failure_of(const std::string& name) const {
    try {
      return "found " + find_program(name, path());
    } catch (const Failure& failure) {
      return std::to_string(failure.status()) + ": " + failure.what();
    }
  }

  TemporaryFolder folder_;

 private:
  std::filesystem::path before_;
};

TEST_F(ProgramTest, IsTheFirstExecutableOfThatNameInPath) {
  folder_.write("bin/tool", "", std::filesystem::perms{0644});
  folder_.write("second/tool", "#!/bin/sh\n", executable_mode);
  EXPECT_EQ(find_program("tool", path()), in("second/tool"));
  folder_.write("bin/tool", "#!/bin/sh\n", executable_mode);
  EXPECT_EQ(find_program("tool", path()), in("bin/tool"));
}

TEST_F(ProgramTest, AnEmptyEntryOfPathIsTheCurrentFolder) {
  folder_.write("tool", "#!/bin/sh\n", executable_mode);
  EXPECT_EQ(find_program("tool", "/nowhere:"), "./tool");
  EXPECT_EQ(find_program("tool", ":/nowhere"), "./tool");
}

TEST_F(ProgramTest, MissingOneEndsWith127AndOneThatCannotBeExecutedWith126) {
  folder_.write("bin/plain", "", std::filesystem::perms{0644});
  EXPECT_EQ(failure_of("missing"), "127: missing: command not found");
  EXPECT_EQ(failure_of("./missing"), "127: ./missing: command not found");
  EXPECT_EQ(failure_of(""), "127: '': command not found");
  EXPECT_EQ(failure_of("bin"), "127: bin: command not found") << "a folder here isn't in PATH";
  EXPECT_EQ(failure_of("plain"), "126: " + in("bin/plain") + ": not executable");
  EXPECT_EQ(failure_of("bin/plain"), "126: bin/plain: not executable");
  EXPECT_EQ(failure_of("./bin"), "126: ./bin: is a folder");
  EXPECT_EQ(failure_of("a\nb"), "127: a\\x0ab: command not found");
}

TEST_F(ProgramTest, PythonGetsFilesNamedSo) {
  folder_.write("app.py", "");
  folder_.write("tool.py", "#!/bin/sh\n", executable_mode);
  EXPECT_TRUE(is_for_python("app.py", path()));
  EXPECT_TRUE(is_for_python("./app.py", path()));
  EXPECT_TRUE(is_for_python("./tool.py", path()));
  EXPECT_TRUE(is_for_python("missing.py", path())) << "Python then says that it is missing";
  EXPECT_FALSE(is_for_python(".py", path()));
}

TEST_F(ProgramTest, AProgramInPathThatIsNamedLikeAPythonFileIsAProgram) {
  folder_.write("bin/admin.py", "#!/bin/sh\n", executable_mode);
  EXPECT_FALSE(is_for_python("admin.py", path()));
  folder_.write("admin.py", "");
  EXPECT_TRUE(is_for_python("admin.py", path())) << "a file here goes first, as with python3";
}

TEST_F(ProgramTest, PythonGetsReadableFilesThatAreNotExecutable) {
  folder_.write("script", "print(1)\n");
  folder_.write("program", "#!/bin/sh\n", executable_mode);
  EXPECT_TRUE(is_for_python("script", path()));
  EXPECT_TRUE(is_for_python("./script", path()));
  EXPECT_FALSE(is_for_python("./program", path()));
  folder_.write("bin/script", "#!/bin/sh\n", executable_mode);
  EXPECT_FALSE(is_for_python("script", path())) << "a program in PATH goes first";
}

TEST_F(ProgramTest, PythonDoesNotGetWhatIsMeantForSomethingElse) {
  folder_.write("shell", "#!/bin/sh\nexit 1\n");
  folder_.write("binary",
                "\x7f"
                "ELF...");
  folder_.write("script", "#!/usr/bin/env python3\n");
  EXPECT_FALSE(is_for_python("./shell", path()));
  EXPECT_FALSE(is_for_python("./binary", path()));
  EXPECT_TRUE(is_for_python("./script", path()));
}

TEST_F(ProgramTest, PythonGetsFoldersWithAMainAndStandardInput) {
  folder_.write("package/__main__.py", "");
  EXPECT_TRUE(is_for_python("package", path()));
  EXPECT_TRUE(is_for_python("./package/", path()));
  EXPECT_FALSE(is_for_python("./bin", path()));
  EXPECT_TRUE(is_for_python("-", path()));
}

}  // namespace
}  // namespace tarn::cli
