// One error of a caller in a debug heap: bytes written where none may be, or a call with a wrong pointer,
// domain or size. The heap must report it when it verifies or at that call; whatever the bytes, it must
// end with the report and not with a fault of its own.
//
// The report ends a process, so each error is made in a child: few runs a second, but each whole.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operations.h"
#include "support/combinations.h"

namespace tarn::fuzz {
namespace {

struct LiveBlock {
  unsigned char* address;
  std::size_t size;
  Domain domain;
};

struct State {
  explicit State(const HeapOptions& options) : heap(options) {}

  Heap heap;
  std::vector<LiveBlock> live;
  std::vector<LiveBlock> freed;
};

// A heap with some small blocks, live and freed.
void build(Bytes& bytes, State& state) {
  const std::size_t count = 2 + bytes.number<std::uint8_t>() % 60;
  for (std::size_t i = 0; i < count; ++i) {
    const auto how = bytes.number<std::uint8_t>();
    const std::size_t size = bytes.number<std::uint8_t>();
    const auto domain = static_cast<Domain>(how % 3);
    auto* const block = static_cast<unsigned char*>(state.heap.allocate(size, domain));
    state.live.push_back({block, size, domain});
    if (how >= 0xC0 && state.live.size() > 1) {
      const LiveBlock gone = state.live[how % state.live.size()];
      std::erase_if(state.live, [&](const LiveBlock& one) { return one.address == gone.address; });
      std::erase_if(state.freed, [&](const LiveBlock& one) { return one.address == gone.address; });
      state.heap.free(gone.address, gone.domain);
      state.freed.push_back(gone);
    }
  }
  // What was handed out again isn't freed any more.
  std::erase_if(state.freed, [&](const LiveBlock& one) {
    for (const LiveBlock& live : state.live) {
      if (live.address == one.address) {
        return true;
      }
    }
    return false;
  });
}

// Makes the error. False: these bytes make none. Returns, or aborts with a report.
bool make_error(Bytes& bytes, State& state) {
  const auto kind = bytes.number<std::uint8_t>() % 7;
  const std::size_t index = bytes.number<std::uint8_t>();
  const auto value = bytes.number<std::uint8_t>();
  const bool on_freed = kind == 2 || kind == 4;
  const std::vector<LiveBlock>& blocks = on_freed ? state.freed : state.live;
  if (blocks.empty()) {
    return false;
  }
  const LiveBlock& block = blocks[index % blocks.size()];
  const auto overwrite = [&](unsigned char* byte) {
    if (*byte == value) {
      return false;
    }
    *byte = value;
    return true;
  };
  switch (kind) {
    case 0:  // past the end
      return overwrite(block.address + block.size + value % 8) && (state.heap.verify(), true);
    case 1:  // before the start, without the domain's letter and the size
      return overwrite(block.address - 1 - value % 7) && (state.heap.verify(), true);
    case 2:  // after free; the eight bytes of the link are another case
      return block.size != 0 && overwrite(block.address + value % block.size) &&
             (state.heap.verify(), true);
    case 3:  // inside a block
      state.heap.free(block.address + 1 + value % 15, block.domain);
      return true;
    case 4:  // twice
      state.heap.free(block.address, block.domain);
      return true;
    case 5:  // another domain
      state.heap.free(
          block.address,
          static_cast<Domain>((static_cast<unsigned>(block.domain) + 1 + value % 2) % 3));
      return true;
    default:  // another size
      state.heap.free_sized(block.address, block.size + 1 + value, block.domain);
      return true;
  }
}

constexpr int no_error_made = 7;

[[noreturn]] void be_the_child(Bytes bytes, State& state, int standard_error) {
  std::signal(SIGABRT,
              SIG_DFL);  // libFuzzer takes an abort for a finding; here it is what is wanted
  ::dup2(standard_error, STDERR_FILENO);
  const bool made = make_error(bytes, state);
  ::_exit(made ? 0 : no_error_made);
}

void run(Bytes bytes) {
  static const std::vector<test::Combination> combinations = test::combinations_with(Checks::debug);
  HeapOptions options = combinations[bytes.number<std::uint8_t>() % combinations.size()].options();
  options.reserved_bytes = std::size_t{64} << 20;
  State state(options);
  build(bytes, state);
  state.heap.verify();

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    be_the_child(bytes, state, ends[1]);
  }
  ::close(ends[1]);
  char text[64] = {};
  std::size_t length = 0;
  while (length < sizeof(text) - 1) {
    const ssize_t count = ::read(ends[0], text + length, sizeof(text) - 1 - length);
    if (count < 0 && errno == EINTR) {
      continue;  // libFuzzer's clock
    }
    if (count <= 0) {
      break;
    }
    length += static_cast<std::size_t>(count);
  }
  ::close(ends[0]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool reported =
      WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && std::string(text).starts_with("tarn: ");
  const bool none = WIFEXITED(status) && WEXITSTATUS(status) == no_error_made;
  if (child > 0 && !reported && !none) {
    std::fprintf(stderr, "finding: an error wasn't reported; status %d, text: %s\n", status, text);
    std::abort();
  }
  for (const LiveBlock& block : state.live) {
    state.heap.free(block.address, block.domain);
  }
}

}  // namespace
}  // namespace tarn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tarn::fuzz::run({data, size});
  return 0;
}
