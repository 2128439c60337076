#include "engine/redis_link.h"

#include <utility>

#include "engine/redis_loop.h"

namespace wsrouter {
namespace {

std::vector<std::string> ScriptWords(const RedisScript& script, std::vector<std::string> keys,
                                     std::vector<std::string> arguments) {
  std::vector<std::string> words;
  words.reserve(3 + keys.size() + arguments.size());
  words.push_back("EVALSHA");
  words.push_back(script.sha1);
  words.push_back(std::to_string(keys.size()));
  for (std::string& key : keys) words.push_back(std::move(key));
  for (std::string& argument : arguments) words.push_back(std::move(argument));
  return words;
}

}  // namespace

RedisLink::RedisLink(RedisAddress address, RedisPatience patience)
    : loop_(std::make_unique<Loop>(std::move(address), patience, up_)) {}

RedisLink::~RedisLink() { Stop(); }

void RedisLink::Start(Handler& handler) { loop_->Start(handler); }
void RedisLink::Stop() { loop_->Stop(); }
void RedisLink::Post(Task task) { loop_->Post(std::move(task)); }
void RedisLink::Every(absl::Duration period, std::function<void()> task) {
  loop_->Every(period, std::move(task));
}
void RedisLink::Load(const RedisScript& script) { loop_->Load(script); }

void RedisLink::Command(std::vector<std::string> words, Done done) {
  loop_->Command({.words = std::move(words), .done = std::move(done)});
}

void RedisLink::Publish(std::string channel, std::string message, Done done) {
  loop_->Command({.words = {"PUBLISH", std::move(channel), std::move(message)},
                  .done = std::move(done),
                  .publish = true});
}

void RedisLink::Run(const RedisScript& script, std::vector<std::string> keys,
                    std::vector<std::string> arguments, Done done) {
  loop_->Command({.words = ScriptWords(script, std::move(keys), std::move(arguments)),
                  .done = std::move(done),
                  .script = &script});
}
void RedisLink::RunPublish(const RedisScript& script, std::vector<std::string> keys,
                           std::vector<std::string> arguments, Done done) {
  arguments.emplace_back("PUBLISH");
  loop_->Command({.words = ScriptWords(script, std::move(keys), std::move(arguments)),
                  .done = std::move(done),
                  .script = &script,
                  .publish = true});
}

void RedisLink::Subscribe(std::string channel, absl::AnyInvocable<void(absl::Status) &&> done) {
  loop_->Subscribe(std::move(channel), std::move(done));
}
void RedisLink::Unsubscribe(std::string channel) { loop_->Unsubscribe(channel); }

}  // namespace wsrouter
