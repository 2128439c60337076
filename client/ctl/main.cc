// wsrouterctl: what a cluster does, for people at a terminal.
#include <grpcpp/security/credentials.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "commands.h"
#include "fmt/format.h"

namespace wsrouter::ctl {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

// How the node is reached.
struct Link {
  std::string address = "127.0.0.1:9090";
  std::string ca;
  std::string cert;
  std::string key;
  std::string token_file;
  double deadline_seconds = 5;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

client::BackendClientOptions ToOptions(const Link& link) {
  client::BackendClientOptions options{.target = link.address,
                                       .deadline = absl::Seconds(link.deadline_seconds)};
  if (!link.ca.empty()) {
    options.credentials = grpc::SslCredentials({.pem_root_certs = ReadFile(link.ca),
                                                .pem_private_key = ReadFile(link.key),
                                                .pem_cert_chain = ReadFile(link.cert)});
  }
  if (!link.token_file.empty()) {
    options.token = ReadFile(link.token_file);
  } else if (const char* token = std::getenv("WSROUTER_TOKEN"); token != nullptr) {
    options.token = token;
  }
  while (!options.token.empty() && std::isspace(static_cast<unsigned char>(options.token.back()))) {
    options.token.pop_back();
  }
  return options;
}

struct Choices {
  Output output;
  std::string name;
  std::string text;
  std::string client;
  std::string room;
  double seconds = 2;
  double window = -1;
  int count = 0;
  int last = 20;
  bool everyone = false;
};

using Run = std::function<absl::Status(client::BackendClient&)>;

void AddLink(CLI::App& app, Link& link, Choices& choices) {
  app.add_option("--address", link.address, "where the node takes gRPC")->capture_default_str();
  CLI::Option* ca =
      app.add_option("--ca", link.ca, "who has signed the node's certificate: use TLS");
  ca->check(CLI::ExistingFile);
  CLI::Option* cert = app.add_option("--cert", link.cert, "our certificate");
  CLI::Option* key = app.add_option("--key", link.key, "the key of --cert");
  cert->check(CLI::ExistingFile)->needs(key)->needs(ca);
  key->check(CLI::ExistingFile)->needs(cert);
  app.add_option("--token-file", link.token_file, "holds the token; or WSROUTER_TOKEN is the token")
      ->check(CLI::ExistingFile);
  app.add_option("--deadline", link.deadline_seconds, "seconds that a call may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--json", choices.output.json, "prints answers as JSON");
}

void AddReading(CLI::App& app, Choices& in, Run& run) {
  const auto add = [&](const char* name, const char* help, Run what) {
    CLI::App* command = app.add_subcommand(name, help);
    command->callback([&run, what = std::move(what)] { run = what; });
    return command;
  };
  add("nodes", "the nodes of the cluster", [&](auto& node) { return Nodes(node, in.output); });
  add("stats", "the figures of the node", [&](auto& node) { return Stats(node, in.output); });
  add("rooms", "rooms and how many are in them", [&](auto& node) {
    return Rooms(node, in.output, in.name);
  })->add_option("prefix", in.name, "only rooms whose names begin so");
  add("members", "who is in a room", [&](auto& node) { return Members(node, in.output, in.name); })
      ->add_option("room", in.name)
      ->required();
  CLI::App* history = add("history", "what a room was sent last, as far as it keeps it",
                          [&](auto& node) { return History(node, in.output, in.name, in.last); });
  history->add_option("room", in.name)->required();
  history->add_option("--count", in.last, "entries at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  CLI::App* top = add("top", "nodes and figures, again and again",
                      [&](auto& node) { return Top(node, in.output, in.seconds, in.count); });
  top->add_option("--interval", in.seconds, "seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  top->add_option("--count", in.count, "looks; 0: until it is stopped")
      ->check(CLI::NonNegativeNumber);
  add("watch", "what happens on the node, as it happens",
      [&](auto& node) { return Watch(node, in.output, in.count); })
      ->add_option("--count", in.count, "events; 0: until it is stopped")
      ->check(CLI::NonNegativeNumber);
}

void AddActing(CLI::App& app, Choices& in, Run& run) {
  CLI::App* send = app.add_subcommand("send", "sends a text to a client, a room, or to everyone");
  CLI::Option* client = send->add_option("--client", in.client, "to this client");
  send->add_option("--room", in.room, "to this room")->excludes(client);
  send->add_option("text", in.text)->required();
  send->add_flag("--everyone", in.everyone, "to all who are connected");
  send->require_option(2);  // the text and one of the others
  send->callback([&] {
    const To named = in.room.empty() ? To::kClient : To::kRoom;
    const To to = in.everyone ? To::kEveryone : named;
    run = [&in, to](client::BackendClient& node) {
      return Send(node, in.output, to, to == To::kRoom ? in.room : in.client, in.text);
    };
  });
  CLI::App* drain = app.add_subcommand("drain", "empties the node and keeps it running");
  drain->add_option("--window", in.window, "seconds to spread it over; else drain.window")
      ->check(CLI::Range(0.0, 3600.0));
  drain->callback([&] { run = [&](auto& node) { return Drain(node, in.output, in.window); }; });
  app.add_subcommand("undrain", "ends a drain")->callback([&] {
    run = [&](auto& node) { return Undrain(node, in.output); };
  });
}

int Main(int argc, char** argv) {
  Link link;
  Choices choices;
  Run run;
  CLI::App app("Shows and steers wsrouter. Exit code 0: done, 1: the call failed, 2: wrong usage.");
  app.fallthrough();
  app.require_subcommand(1);
  AddLink(app, link, choices);
  AddReading(app, choices, run);
  AddActing(app, choices, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  client::BackendClient node(ToOptions(link));
  const absl::Status status = run(node);
  if (status.ok()) return 0;
  const std::string reason = client::Reason(status);
  const absl::string_view message = status.message();
  fmt::print(stderr, "wsrouterctl: {}{}{}: {}\n", absl::StatusCodeToString(status.code()),
             reason.empty() ? "" : " ", reason, std::string(message));
  return kFailed;
}

}  // namespace
}  // namespace wsrouter::ctl

int main(int argc, char** argv) { return wsrouter::ctl::Main(argc, argv); }
