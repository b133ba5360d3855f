// Tarn beside its peers, in one process and interleaved. A benchmark's name is "workload/peer".

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include <benchmark/benchmark.h>

#include "peers.h"
#include "workloads.h"

namespace tarn::bench {

namespace {

// The number of iterations is fixed and the same for all peers: a run does the same work for each, and
// none is measured on a heap that another number of iterations has left behind.
template <typename Work>
void add(const std::string& workload, const Peer& peer, std::int64_t iterations, Work work) {
  benchmark::RegisterBenchmark((workload + "/" + peer.name).c_str(), work)->Iterations(iterations);
}

// `run(state, calls)`. Peers of one size only get a pool of `size`, new at each repetition.
template <typename Run>
void add_fixed_size(const std::string& workload, const Peer& peer, std::int64_t iterations,
                    std::size_t size, Run run) {
  add(workload, peer, iterations, [peer, size, run](benchmark::State& state) {
    std::visit(
        [&]<typename Calls>(const Calls& calls) {
          if constexpr (std::is_same_v<Calls, FixedPool>) {
            boost::pool<> pool(size);
            run(state, fixed_calls(pool));
          } else {
            run(state, calls);
          }
        },
        peer.calls);
  });
}

template <typename Run>
void add_mixed_sizes(const std::string& workload, const Peer& peer, std::int64_t iterations,
                     Run run) {
  std::visit(
      [&]<typename Calls>(const Calls& calls) {
        if constexpr (!std::is_same_v<Calls, FixedPool>) {
          add(workload, peer, iterations,
              [calls, run](benchmark::State& state) { run(state, calls); });
        }
      },
      peer.calls);
}

template <typename Run>
void add_reallocating(const std::string& workload, const Peer& peer, std::int64_t iterations,
                      Run run) {
  std::visit(
      [&]<typename Calls>(const Calls& calls) {
        if constexpr (requires { calls.reallocate(nullptr, 0, 0); }) {
          add(workload, peer, iterations,
              [calls, run](benchmark::State& state) { run(state, calls); });
        }
      },
      peer.calls);
}

std::string in_words(std::size_t count) {
  if (count >= 1'000'000) {
    return std::to_string(count / 1'000'000) + "M";
  }
  return count >= 1000 ? std::to_string(count / 1000) + "k" : std::to_string(count);
}

void add_pairs(const Peer& peer) {
  for (const std::size_t size : {16, 32, 48, 64, 96, 128, 256, 512}) {
    add_fixed_size("pairs " + std::to_string(size), peer, 4'000'000, size,
                   [size](benchmark::State& state, auto calls) { pairs(state, calls, size); });
  }
}

void add_batches(const Peer& peer) {
  constexpr std::size_t size = 64;
  constexpr std::size_t blocks_in_all = 2'000'000;
  constexpr std::pair<Order, const char*> orders[] = {
      {Order::lifo, "LIFO"}, {Order::fifo, "FIFO"}, {Order::random, "random"}};
  for (const std::size_t count : {100, 10'000, 1'000'000}) {
    for (const auto& [order, name] : orders) {
      add_fixed_size("batch " + in_words(count) + " " + name, peer,
                     static_cast<std::int64_t>(blocks_in_all / count), size,
                     [count, order](benchmark::State& state, auto calls) {
                       batches(state, calls, size, count, order);
                     });
    }
  }
}

void add_mixes(const Peer& peer) {
  for (const std::size_t live : {1'000, 100'000, 1'000'000}) {
    add_mixed_sizes(
        "mix " + in_words(live), peer, live == 1'000'000 ? 1'000'000 : 2'000'000,
        [live](benchmark::State& state, auto calls) { replacement(state, calls, live); });
  }
}

void add_growths(const Peer& peer) {
  for (const std::size_t most : {10'000, 1'000'000}) {
    add_mixed_sizes(
        "growth " + in_words(most), peer, most == 1'000'000 ? 1 : 50,
        [most](benchmark::State& state, auto calls) { growth_and_drain(state, calls, most); });
  }
}

void add_reallocations(const Peer& peer) {
  add_reallocating("realloc to 512", peer, 1500,
                   [](benchmark::State& state, auto calls) { reallocation(state, calls, 512); });
}

}  // namespace

}  // namespace tarn::bench

int main(int count, char** arguments) {
  using namespace tarn::bench;
  make_room_for_peers(arguments);
  for (const Peer& peer : load_peers()) {
    benchmark::AddCustomContext(peer.name, peer.version);
    add_pairs(peer);
    add_batches(peer);
    add_mixes(peer);
    add_growths(peer);
    add_reallocations(peer);
  }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
