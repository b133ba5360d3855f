#include "tools/cli/executable.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "temporary_folder.h"

namespace tarn::cli {
namespace {

std::string own_bytes() {
  std::ostringstream bytes;
  bytes << std::ifstream("/proc/self/exe", std::ios::binary).rdbuf();
  return bytes.str();
}

// This test's own program, with its PT_INTERP made a PT_NULL: what a static program looks like.
std::string without_interpreter(std::string bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (unsigned index = 0; index < header.e_phnum; ++index) {
    const std::size_t offset = header.e_phoff + index * sizeof(Elf64_Phdr);
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + offset, sizeof segment);
    if (segment.p_type == PT_INTERP) {
      segment.p_type = PT_NULL;
      std::memcpy(bytes.data() + offset, &segment, sizeof segment);
    }
  }
  return bytes;
}

class ExecutableTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(ExecutableTest, ADynamicProgramCanBePreloadedInto) {
  EXPECT_EQ(preload_obstacle("/proc/self/exe"), std::nullopt);
}

TEST_F(ExecutableTest, AStaticProgramCannot) {
  const std::string file =
      folder_.write("static", without_interpreter(own_bytes()), executable_mode);
  EXPECT_EQ(preload_obstacle(file),
            "it is statically linked, so no library can be preloaded into it");
}

TEST_F(ExecutableTest, AProgramForAnotherMachineCannot) {
  std::string bytes = own_bytes();
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(preload_obstacle(folder_.write("other", bytes, executable_mode)),
            "it is built for another kind of machine than Tarn's library");
}

TEST_F(ExecutableTest, AScriptIsFollowedToItsInterpreter) {
  const std::string interpreter =
      folder_.write("static", without_interpreter(own_bytes()), executable_mode);
  const std::string inner = folder_.write("inner", "#! " + interpreter + " -x\n", executable_mode);
  const std::string outer = folder_.write("outer", "#!" + inner, executable_mode);
  EXPECT_EQ(preload_obstacle(outer),
            "it is statically linked, so no library can be preloaded into it (" + interpreter +
                ", its interpreter)");
}

TEST_F(ExecutableTest, AScriptThatIsItsOwnInterpreterIsNotFollowedForever) {
  const std::string file = (folder_.path() / "loop").string();
  folder_.write("loop", "#!" + file + "\n", executable_mode);
  EXPECT_EQ(preload_obstacle(file), std::nullopt);
}

TEST_F(ExecutableTest, ASetuidProgramCannot) {
  const std::string file = folder_.write("setuid", own_bytes(), executable_mode);
  if (::chown(file.c_str(), 65534, 65534) != 0) {
    GTEST_SKIP() << "only root can give a file to another user";
  }
  ASSERT_EQ(::chmod(file.c_str(), 04755), 0);
  EXPECT_EQ(preload_obstacle(file), "it is setuid, so the loader ignores LD_PRELOAD");
  ASSERT_EQ(::chmod(file.c_str(), 02755), 0);
  EXPECT_EQ(preload_obstacle(file), "it is setgid, so the loader ignores LD_PRELOAD");
  ASSERT_EQ(::chmod(file.c_str(), 0755), 0);
  EXPECT_EQ(preload_obstacle(file), std::nullopt);
}

TEST_F(ExecutableTest, TruncatedAndMissingFilesAreNoObstacleAndNoPython) {
  const std::string bytes = own_bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4}, std::size_t{63},
                                 std::size_t{64}, std::size_t{100}}) {
    const std::string file = folder_.write("short", bytes.substr(0, size), executable_mode);
    EXPECT_EQ(preload_obstacle(file), std::nullopt) << size;
    EXPECT_FALSE(contains_python(file)) << size;
  }
  EXPECT_EQ(preload_obstacle("/nowhere"), std::nullopt);
  EXPECT_FALSE(contains_python("/nowhere"));
}

TEST_F(ExecutableTest, HeadersThatPointOutsideTheFileAreNotRead) {
  std::string bytes = own_bytes();
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.e_phoff = ~std::uint64_t{0} - 10;
  std::memcpy(bytes.data(), &header, sizeof header);
  EXPECT_EQ(preload_obstacle(folder_.write("odd", bytes, executable_mode)), std::nullopt);
}

TEST_F(ExecutableTest, KnowsAPythonByTheNamesInIt) {
  EXPECT_TRUE(contains_python(folder_.write("shared",
                                            "\x7f"
                                            "ELF..libpython3.13.so.1.0.")));
  EXPECT_TRUE(contains_python(folder_.write("static",
                                            "\x7f"
                                            "ELF..PyMem_SetAllocator.")));
  EXPECT_TRUE(contains_python(folder_.write("script", "#!/usr/bin/env python3\n")));
  EXPECT_TRUE(contains_python(folder_.write("python3.12", "#!/bin/sh\nexec other\n")));
  EXPECT_FALSE(contains_python(folder_.write("shell", "#!/bin/sh\npython3\n")));
  EXPECT_FALSE(contains_python("/bin/sh"));
}

}  // namespace
}  // namespace tarn::cli
