#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "tools/cli/sites_export.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr double width = 1200;
constexpr double row_height = 17;
constexpr double least_width = 1.0 / 3;
constexpr double character_width = 6.3;  // of the font below, about
constexpr double top = 40;               // for the title
constexpr double margin = 10;
constexpr std::size_t deepest = 400;

std::string escape_markup(std::string_view text) {
  std::string result;
  for (const char character : clean_utf8(text)) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

// The first `count` characters of UTF-8.
std::string first_characters(const std::string& text, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80;
    if (starts && seen++ == count) {
      break;
    }
  }
  return text.substr(0, at);
}

struct Node {
  std::uint64_t bytes = 0;
  std::map<std::string, std::unique_ptr<Node>> children;
};

Node& child(Node& node, const std::string& name) {
  std::unique_ptr<Node>& there = node.children[name];
  if (!there) {
    there = std::make_unique<Node>();
  }
  return *there;
}

Node tree_of(const SitesReport& report, SiteMeasure measure) {
  Node root;
  for (const AllocationSite& site : report.sites) {
    const std::uint64_t bytes = measure_of(site, measure);
    if (bytes == 0) {
      continue;
    }
    root.bytes += bytes;
    Node* node = &root;
    if (site.frames.empty()) {
      child(*node, stackless_text(report, site)).bytes += bytes;
    }
    if (site.is_cut) {
      node = &child(*node, "(deeper)");
      node->bytes += bytes;
    }
    // NOLINTNEXTLINE(modernize-loop-convert): this clang cannot take the library's reverse_view
    for (auto frame = site.frames.rbegin(); frame != site.frames.rend(); ++frame) {
      node = &child(*node, frame_text(report.frames[*frame]));
      node->bytes += bytes;
    }
  }
  return root;
}

class Drawing {
 public:
  explicit Drawing(const Node& root) : all_(root.bytes), root_(root) { depth_ = depth_of(root, 0); }

  std::string draw(const std::string& title) {
    const double height = top + static_cast<double>(depth_ + 1) * row_height + margin;
    text_ = fmt::format(
        R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" font-family="monospace" font-size="10.5">
<title>{2}</title>
<rect width="{0}" height="{1}" fill="#fffdf8"/>
<text x="{3}" y="24" font-size="15" font-family="sans-serif" fill="#222">{2}</text>
)",
        width + 2 * margin, height, escape_markup(title), margin);
    node("all", root_, margin, 0, height - margin - row_height);
    text_ += "</svg>\n";
    return std::move(text_);
  }

 private:
  [[nodiscard]] double width_of(const Node& node) const {
    return all_ == 0 ? 0 : width * static_cast<double>(node.bytes) / static_cast<double>(all_);
  }

  [[nodiscard]] std::size_t depth_of(const Node& node, std::size_t depth) const {
    std::size_t deepest_child = depth;
    for (const auto& [name, below] : node.children) {
      if (width_of(*below) >= least_width && depth < deepest) {
        deepest_child = std::max(deepest_child, depth_of(*below, depth + 1));
      }
    }
    return deepest_child;
  }

  void node(const std::string& name, const Node& node, double x, std::size_t depth, double y) {
    const double wide = width_of(node);
    const double share =
        all_ == 0 ? 0 : 100 * static_cast<double>(node.bytes) / static_cast<double>(all_);
    const std::string label = shown_name(name);
    const auto room = static_cast<std::size_t>(std::max(0.0, (wide - 6) / character_width));
    text_ += fmt::format(
        R"(<g><title>{}: {} ({:.1f} %)</title><rect x="{:.2f}" y="{:.1f}" width="{:.2f}" height="{}" fill="{}" stroke="#fffdf8" stroke-width="0.5"/>)",
        escape_markup(name), bytes_text(node.bytes), share, x, y, wide, row_height - 1,
        colour_of(name));
    if (room >= 3) {
      text_ += fmt::format(R"(<text x="{:.2f}" y="{:.1f}" fill="#222">{}</text>)", x + 3,
                           y + row_height - 5, escape_markup(first_characters(label, room)));
    }
    text_ += "</g>\n";
    double at = x;
    for (const auto& [below_name, below] : node.children) {
      if (width_of(*below) >= least_width && depth < deepest) {
        this->node(below_name, *below, at, depth + 1, y - row_height);
      }
      at += width_of(*below);
    }
  }

  // Without the folders of its file.
  static std::string shown_name(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    const std::size_t space = slash == std::string::npos ? slash : name.rfind(' ', slash);
    return space == std::string::npos ? name : name.substr(0, space + 1) + name.substr(slash + 1);
  }

  // By the name, so that the same line has the same colour in two pictures.
  static std::string colour_of(const std::string& name) {
    std::uint32_t hash = 2166136261U;
    for (const char character : name) {
      hash = (hash ^ static_cast<unsigned char>(character)) * 16777619U;
    }
    return fmt::format("hsl({},{}%,{}%)", 15 + hash % 40, 65 + (hash >> 8U) % 20,
                       62 + (hash >> 16U) % 14);
  }

  std::uint64_t all_;
  const Node& root_;
  std::size_t depth_ = 0;
  std::string text_;
};

const char* name_of(SiteMeasure measure) {
  switch (measure) {
    case SiteMeasure::retained:
      return "retained";
    case SiteMeasure::allocated:
      return "allocated";
    case SiteMeasure::live:
      break;
  }
  return "live";
}

}  // namespace

std::string sites_flame(const SitesReport& report, SiteMeasure measure) {
  const Node root = tree_of(report, measure);
  return Drawing(root).draw(fmt::format("{} (process {}): {} {} by where it was allocated",
                                        report.program, report.pid, bytes_text(root.bytes),
                                        name_of(measure)));
}

}  // namespace tarn::cli
