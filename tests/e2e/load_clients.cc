// Clients of wsrouter.v1.json as a process. Each is `c<number>` and is in room `r<number % rooms>`,
// by its token or because the service at the path says so, and perhaps in others. They come back
// with their session when a connection ends, and ask for what they missed in rooms with a history.
//
//   load_clients OPTION=VALUE...
//     clients=1 first=0           how many, and the number of the first one
//     rooms=1
//     room=r                      what rooms begin with, by tokens
//     secret=FILE                 tokens: HS256, issuer https://load.example, in the query
//     path=/ws?c                  without a secret: where the number is appended to
//     back_ms=0 connecting=200 sources=0    as in tests/support/session_load.h
//
// Reads commands, one a line, and answers each with one line of JSON:
//   nodes ADDRESS...   where to connect from now on
//   cut SHARE          of all connections
//   close              all of them, for good
//   now                {"up", "came"}: clients that are up, and how often one has come in all
//   report             what was seen since the last report (tests/support/load_account.h)
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

#include "base/clock.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "tests/support/load_account.h"
#include "tests/support/session_load.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

class Words {
 public:
  Words(int count, char** words) {
    for (int i = 1; i < count; ++i) {
      const std::string word = words[i];
      const size_t at = word.find('=');
      if (at == std::string::npos) throw std::invalid_argument(word);
      values_[word.substr(0, at)] = word.substr(at + 1);
    }
  }
  std::string Text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  uint32_t Number(const std::string& name, uint32_t otherwise) const {
    return static_cast<uint32_t>(std::stoul(Text(name, std::to_string(otherwise))));
  }

 private:
  std::map<std::string, std::string> values_;
};

std::function<std::string(uint32_t)> TargetOf(const Words& words) {
  const uint32_t first = words.Number("first", 0);
  const uint32_t rooms = words.Number("rooms", 1);
  if (words.Text("secret", "").empty()) {
    return [first, path = words.Text("path", "/ws?c")](uint32_t client) {
      return path + std::to_string(first + client);
    };
  }
  std::string secret;
  std::ifstream(words.Text("secret", "")) >> secret;
  return [=, room = words.Text("room", "r"), signer = TokenSigner::Hs256(secret)](uint32_t client) {
    const uint32_t number = first + client;
    return "/ws?token=" + signer.TokenOf(fmt::format(
                              R"({{"iss":"https://load.example","sub":"c{}","exp":4102444800,)"
                              R"("rooms":["{}{}"]}})",
                              number, room, number % rooms));
  };
}

class Program {
 public:
  explicit Program(const Words& words)
      : account_(words.Number("clients", 1)), load_(OptionsOf(words), Handlers()) {}

  // To the end of the input.
  void Run() {
    (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 4096> octets;
    while (true) {
      const ssize_t got = read(STDIN_FILENO, octets.data(), octets.size());
      if (got == 0) return;
      if (got > 0) text.append(octets.data(), static_cast<size_t>(got));
      for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
        std::cout << Do(text.substr(0, end)).dump() << std::endl;
      }
      load_.RunOnce(absl::Milliseconds(10));
    }
  }

 private:
  static SessionLoad::Options OptionsOf(const Words& words) {
    return {.clients = words.Number("clients", 1),
            .target = TargetOf(words),
            .rooms = {},
            .back_after_max = absl::Milliseconds(words.Number("back_ms", 0)),
            .connecting_max = words.Number("connecting", 200),
            .sources = words.Number("sources", 0),
            .seed = words.Number("first", 0) + 1};
  }
  SessionLoad::Handlers Handlers() {
    return {.on_up =
                [this](uint32_t client, const std::string&, bool resumed, absl::Duration away) {
                  account_.OnUp(client, resumed, away, load_.opening(client), now());
                  for (const std::string& join : account_.JoinsOf(client)) load_.Say(client, join);
                },
            .on_down = [this](uint32_t client, const std::string&,
                              SessionLoad::Loss loss) { account_.OnDown(client, loss); },
            .on_frame = [this](uint32_t client,
                               std::string_view frame) { account_.OnFrame(client, frame, now()); },
            .on_close = [this](uint32_t client,
                               uint16_t code) { account_.OnClose(client, code, now()); },
            .on_refused = [this](uint32_t, int status) { account_.OnRefused(status); }};
  }
  absl::Duration now() const { return clock_.Now().uptime; }

  nlohmann::json Do(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "report") return account_.Report();
    if (word == "nodes") {
      load_.SetNodes({std::istream_iterator<std::string>(words), {}});
    } else if (word == "close") {
      load_.CloseAll();
    } else if (word == "cut") {
      double share = 1;
      words >> share;
      load_.Cut(share);
    } else if (word != "now") {
      return {{"unknown", word}};
    }
    return {{"up", load_.up()}, {"came", account_.came()}};
  }

  const SystemClock clock_;
  LoadAccount account_;
  SessionLoad load_;
};

}  // namespace
}  // namespace wsrouter

int main(int count, char** words) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &descriptors);
  wsrouter::Program(wsrouter::Words(count, words)).Run();
  return 0;
}
