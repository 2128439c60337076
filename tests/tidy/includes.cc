// Which layer and which part of the tree may include what.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/tidy.h"

namespace wsrouter::tidy {
namespace {

// base <- core <- {engine, gateway, control, admin, auth} <- node <- main. The five do not know
// each other.
struct Layer {
  std::string_view name;
  std::vector<std::string_view> may_include;  // besides itself
};
const std::vector<Layer>& Layers() {
  static const std::vector<Layer> layers = {
      {"base", {}},
      {"core", {"base"}},
      {"engine", {"base", "core"}},
      {"gateway", {"base", "core"}},
      {"control", {"base", "core"}},
      {"admin", {"base", "core"}},
      {"auth", {"base", "core"}},
      {"config", {"base", "core", "engine", "gateway", "control", "admin", "auth"}},
      {"node", {"base", "core", "engine", "gateway", "control", "admin", "auth", "config"}},
      {"main", {"base", "config", "node"}},
  };
  return layers;
}

const Layer* FindLayer(std::string_view name) {
  for (const Layer& layer : Layers()) {
    if (layer.name == name) return &layer;
  }
  return nullptr;
}

// "core/frame.h" is of core, "node_options.h" of node; null for what is not ours.
const Layer* LayerOf(std::string_view path) {
  const size_t end = path.find_first_of("/_.");
  if (end == std::string_view::npos) return nullptr;
  return FindLayer(path.substr(0, end));
}

// A library's headers, and the only places that may know it (prefixes of paths).
struct Library {
  std::string_view name;
  std::vector<std::string_view> headers;
  std::vector<std::string_view> allowed;
};
const std::vector<Library>& Libraries() {
  static const std::vector<Library> libraries = {
      {"hiredis", {"hiredis/"}, {"server/engine/redis_", "tests/"}},
      {"libwebsockets", {"libwebsockets", "libwebsockets/"}, {"server/gateway/", "tests/bench/"}},
      {"libev", {"ev.h", "ev++.h"}, {"server/gateway/", "server/engine/redis_", "tests/bench/"}},
      {"gRPC", {"grpc/", "grpcpp/", "grpc++/"}, {"server/control/", "client/", "tests/"}},
      {"prometheus-cpp", {"prometheus/"}, {"server/admin/", "tests/"}},
      {"yaml-cpp", {"yaml-cpp/"}, {"server/config", "tests/"}},
      {"GoogleTest", {"gtest/", "gmock/"}, {"tests/"}},
      {"Boost", {"boost/"}, {"client/", "tests/"}},
  };
  return libraries;
}

bool StartsWithAny(std::string_view text, const std::vector<std::string_view>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

// What stands in the quotes or brackets of an #include line.
std::optional<std::string_view> IncludedBy(std::string_view line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return std::nullopt;
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || !line.substr(word).starts_with("include")) {
    return std::nullopt;
  }
  const size_t open = line.find_first_of("<\"", word);
  if (open == std::string_view::npos) return std::nullopt;
  const size_t close = line.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

std::string CheckLayer(std::string_view path, std::string_view included) {
  const Layer* to = LayerOf(included);
  if (path.starts_with("client/") && to != nullptr &&
      included.find('/') != std::string_view::npos) {
    return fmt::format("the client includes \"{}\" of the server", included);
  }
  if (!path.starts_with("server/")) return "";
  if (included.starts_with("tests/") || included.starts_with("client/")) {
    return fmt::format("the server includes \"{}\"", included);
  }
  const Layer* from = LayerOf(path.substr(std::string_view("server/").size()));
  if (from == nullptr) return "belongs to no layer";
  if (to == nullptr || to == from) return "";
  const auto& may = from->may_include;
  if (std::find(may.begin(), may.end(), to->name) != may.end()) return "";
  return fmt::format("{} includes \"{}\" of {}, which it must not know", from->name, included,
                     to->name);
}

std::string CheckLibrary(std::string_view path, std::string_view included) {
  const bool generated = included.ends_with(".pb.h");
  const bool grpc = included.ends_with(".grpc.pb.h");
  for (const Library& library : Libraries()) {
    const bool named = StartsWithAny(included, library.headers) || (grpc && library.name == "gRPC");
    if (named && !StartsWithAny(path, library.allowed)) {
      return fmt::format("includes {}, which only {} may know", library.name,
                         fmt::join(library.allowed, ", "));
    }
  }
  if ((generated || included.starts_with("google/protobuf/")) &&
      StartsWithAny(path, {"server/base/", "server/core/"})) {
    return "includes protobuf, which base and core must not know";
  }
  return "";
}

}  // namespace

std::vector<Finding> CheckIncludes(const SourceFile& file) {
  std::vector<Finding> findings;
  const std::string_view text = file.text;
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    ++number;
    if (const auto included = IncludedBy(text.substr(at, end - at))) {
      for (std::string message :
           {CheckLayer(file.path, *included), CheckLibrary(file.path, *included)}) {
        if (!message.empty()) findings.push_back({file.path, number, std::move(message)});
      }
    }
    at = end + 1;
  }
  return findings;
}

}  // namespace wsrouter::tidy
