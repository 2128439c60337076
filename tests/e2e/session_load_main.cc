// Clients of wsrouter.v1.json as a process: reads commands from its standard input, one a line, and
// prints what happens, one a line.
//
//   session_load CLIENTS SECRET_FILE RESUME_SHARE SEED ROOM...
//
// Each client has a token (HS256, issuer https://load.example) that makes it `c<number>`, puts it
// into one of the rooms and lets it join all. Commands:
//   nodes ADDRESS...   where to connect from now on
//   acts NUMBER        acts a second (tests/support/session_load.h)
//   cut SHARE          of all connections
//   close              all of them, for good
// Lines:
//   up CLIENT CONNECTION 1|0 MS     it has come, resumed or not, so long after it was lost
//   down CLIENT CONNECTION cut|closed|abandoned|peer
//   gone                            behind close: no connection is left
#include "tests/support/session_load.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <array>
#include <fstream>
#include <iostream>
#include <sstream>

#include "fmt/format.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

constexpr std::array<const char*, 4> kLosses = {"cut", "closed", "abandoned", "peer"};

SessionLoad::Options OptionsFrom(int count, char** words) {
  SessionLoad::Options options;
  options.clients = static_cast<uint32_t>(std::stoul(words[1]));
  std::string secret;
  std::ifstream(words[2]) >> secret;
  options.resume_share = std::stod(words[3]);
  options.seed = std::stoull(words[4]);
  options.rooms.assign(words + 5, words + count);
  options.target = [signer = TokenSigner::Hs256(secret), rooms = options.rooms](uint32_t client) {
    const std::string claims =
        fmt::format(R"({{"iss":"https://load.example","sub":"c{}","exp":4102444800,"rooms":["{}"],)"
                    R"("labels":{{"number":"{}"}},"wsrouter.join":["*"]}})",
                    client, rooms[client % rooms.size()], client);
    return "/ws?token=" + signer.TokenOf(claims);
  };
  return options;
}

SessionLoad::Handlers Printing() {
  return {
      .on_up =
          [](uint32_t client, const std::string& connection, bool resumed, absl::Duration after) {
            std::cout << fmt::format("up c{} {} {} {}\n", client, connection, resumed ? 1 : 0,
                                     absl::ToInt64Milliseconds(after));
          },
      .on_down =
          [](uint32_t client, const std::string& connection, SessionLoad::Loss loss) {
            std::cout << fmt::format("down c{} {} {}\n", client, connection,
                                     kLosses[static_cast<size_t>(loss)]);
          },
      .on_frame = nullptr,
      .on_close = nullptr,
      .on_refused = nullptr};
}

class Commands {
 public:
  Commands() { (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK); }

  // Does what has come; false at the end of the input.
  bool Do(SessionLoad& load) {
    std::array<char, 4096> octets;
    const ssize_t got = read(STDIN_FILENO, octets.data(), octets.size());
    if (got == 0) return false;
    if (got > 0) text_.append(octets.data(), static_cast<size_t>(got));
    for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      Do(load, text_.substr(0, end));
    }
    return true;
  }
  bool closing() const { return closing_; }

 private:
  void Do(SessionLoad& load, const std::string& line) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "nodes") {
      load.SetNodes({std::istream_iterator<std::string>(words), {}});
    } else if (word == "close") {
      load.CloseAll();
      closing_ = true;
    } else {
      double number = 0;
      words >> number;
      if (word == "acts") load.SetActs(number);
      if (word == "cut") load.Cut(number);
    }
  }

  std::string text_;
  bool closing_ = false;
};

void Run(SessionLoad& load) {
  constexpr absl::Duration kLook = absl::Milliseconds(20);
  Commands commands;
  bool told = false;
  while (commands.Do(load)) {
    load.RunOnce(kLook);
    if (commands.closing() && !told && load.open() == 0) {
      told = true;
      std::cout << "gone\n";
    }
    std::cout.flush();
  }
}

}  // namespace
}  // namespace wsrouter

int main(int count, char** words) {
  if (count < 6) {
    std::cerr << "session_load CLIENTS SECRET_FILE RESUME_SHARE SEED ROOM...\n";
    return 2;
  }
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &descriptors);
  wsrouter::SessionLoad load(wsrouter::OptionsFrom(count, words), wsrouter::Printing());
  wsrouter::Run(load);
  return 0;
}
