// A scene graph: a parent owns its children, a child knows its parent weakly. So a subtree dies as soon as nobody
// holds it, without a collector, and a child that outlives its parent sees that it is gone.

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <tarn/object.h>

namespace {

struct Vector {
  double x = 0;
  double y = 0;
};

Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y}; }

struct Node final : tarn::Object {
  Node(std::string node_name, Vector where) : name(std::move(node_name)), offset(where) {}

  std::string name;
  Vector offset;  // from the parent
  tarn::Weak<Node> parent;
  std::vector<tarn::Member<Node>> children;
  static constexpr auto members = tarn::members(&Node::children);  // what it owns: not the parent
};

// The node leaves its parent, which owned it: who wants to keep it holds a reference.
void detach(const tarn::Borrowed<Node>& node) {
  const tarn::Ref<Node> parent = node->parent.lock();
  if (!parent) {
    return;
  }
  node->parent = nullptr;
  std::erase_if(parent->children, [&](const auto& child) { return child.get() == node.get(); });
}

void attach(const tarn::Ref<Node>& parent, const tarn::Ref<Node>& node) {
  detach(node);
  node->parent = parent;
  parent->children.emplace_back(node);
}

Vector place_in_world(const tarn::Borrowed<Node>& node) {
  Vector place = node->offset;
  for (tarn::Ref<Node> above = node->parent.lock(); above; above = above->parent.lock()) {
    place = place + above->offset;
  }
  return place;
}

void show(const tarn::Borrowed<Node>& node, int depth = 0) {
  const Vector place = place_in_world(node);
  std::printf("%*s%s at %g, %g\n", 2 * depth, "", node->name.c_str(), place.x, place.y);
  for (const tarn::Member<Node>& child : node->children) {
    show(child, depth + 1);
  }
}

std::size_t count_nodes(const tarn::ObjectHeap& heap) {
  std::size_t nodes = 0;
  heap.for_each_object([&](tarn::Object& object) { nodes += tarn::is<Node>(object) ? 1 : 0; });
  return nodes;
}

}  // namespace

int main() {
  tarn::ObjectHeap heap;
  const auto node = [&heap](const char* name, double x, double y) {
    return heap.make<Node>(name, Vector{x, y});
  };

  tarn::Ref<Node> scene = node("scene", 0, 0);
  tarn::Ref<Node> robot = node("robot", 10, 0);
  tarn::Ref<Node> arm = node("arm", 1, 5);
  const tarn::Ref<Node> hand = node("hand", 2, 0);
  tarn::Ref<Node> table = node("table", 20, 0);
  tarn::Ref<Node> ball = node("ball", 0, 3);
  attach(scene, robot);
  attach(robot, arm);
  attach(arm, hand);
  attach(scene, table);
  attach(table, ball);
  show(scene);

  std::puts("\nThe arm moves, and the hand with it; then the hand takes the ball.");
  arm->offset.x = 4;
  attach(hand, ball);
  show(scene);

  // A weak reference may say when its object has died.
  const tarn::Weak<Node> watched(ball, [] { std::puts("the ball is gone"); });
  ball = nullptr;  // the hand still has it
  std::printf("\nThe ball is %s, and there are %zu nodes. The robot leaves.\n",
              watched.lock() ? "alive" : "dead", count_nodes(heap));

  // The robot and its arm die here and now. The hand lives on, since we hold it.
  detach(robot);
  robot = nullptr;
  arm = nullptr;
  std::printf("%zu nodes; the hand's parent is %s; the hand is at %g, %g\n", count_nodes(heap),
              hand->parent.lock() ? "alive" : "dead", place_in_world(hand).x,
              place_in_world(hand).y);
  hand->children.clear();
  std::printf("the ball is %s\n", watched.is_dead() ? "dead" : "alive");

  // However deep the graph is: its death doesn't recurse.
  std::puts("\nA chain of a million nodes is attached to the table, and the scene dropped.");
  tarn::Ref<Node> last = table;
  for (int i = 0; i < 1'000'000; ++i) {
    const tarn::Ref<Node> next = heap.make<Node>("link", Vector{});
    attach(last, next);
    last = next;
  }
  last = nullptr;
  table = nullptr;
  std::printf("%zu nodes\n", count_nodes(heap));
  scene = nullptr;
  std::printf("%zu node\n", count_nodes(heap));
  heap.verify();
}
