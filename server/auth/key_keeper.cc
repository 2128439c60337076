#include "auth/key_keeper.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/small_file.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// What a file holds is seen by how it begins: a JWK Set, a key in PEM, or else a secret.
absl::StatusOr<KeySet> ParseKeys(std::string_view text, const IssuerLine& line) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  const std::string_view begin = first == std::string_view::npos ? "" : text.substr(first);
  if (line.by_url() || begin.starts_with('{')) return KeySet::ParseJwks(text, {line.algorithm});
  absl::StatusOr<VerificationKey> key = absl::InvalidArgumentError("");
  if (line.algorithm == Algorithm::kHs256) {
    if (begin.starts_with("-----BEGIN")) {
      return absl::InvalidArgumentError("a key in PEM is no secret for HS256");
    }
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    key = VerificationKey::FromSecret(text);
  } else {
    key = VerificationKey::FromPem(line.algorithm, text);
  }
  if (!key.ok()) return key.status();
  KeySet set;
  if (absl::Status added = set.Add("", *std::move(key)); !added.ok()) return added;
  return set;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeyKeeper>> KeyKeeper::Start(const Options& options, Fetch fetch,
                                                            const Clock& clock) {
  std::unique_ptr<KeyKeeper> keeper(new KeyKeeper(options, std::move(fetch), clock));
  for (Place& place : keeper->places_) {
    if (place.line.by_url()) continue;
    if (absl::Status read = keeper->Refresh(place); !read.ok()) return read;
    keeper->Publish(place.line.issuer);
  }
  keeper->thread_ = std::thread([raw = keeper.get()] { raw->Main(); });
  return keeper;
}

KeyKeeper::KeyKeeper(const Options& options, Fetch fetch, const Clock& clock)
    : options_(options), fetch_(std::move(fetch)), clock_(clock) {
  for (const IssuerLine& line : options.lines) places_.push_back({.line = line});
}

KeyKeeper::~KeyKeeper() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  stop_.Stop();
  if (thread_.joinable()) thread_.join();
}

void KeyKeeper::Main() {
  while (true) {
    std::vector<Place*> due;
    {
      absl::MutexLock lock(&mutex_);
      const absl::Duration now = clock_.Now().uptime;
      absl::Duration next = absl::InfiniteDuration();
      for (Place& place : places_) {
        if (place.due <= now) due.push_back(&place);
        next = std::min(next, place.due);
      }
      if (stopping_) return;
      if (due.empty()) {
        changed_.WaitWithTimeout(&mutex_, next - now);
        continue;
      }
    }
    for (Place* place : due) {
      const absl::Status refreshed = Refresh(*place);
      if (refreshed.ok()) Publish(place->line.issuer);
      const bool failed = !refreshed.ok() && !absl::IsAlreadyExists(refreshed);
      if (failed && !place->failed) {
        Log(LogLevel::kWarning, "keys_not_read", {{"why", refreshed.ToString()}});
      }
      place->failed = failed;
      const absl::Duration now = clock_.Now().uptime;
      absl::MutexLock lock(&mutex_);
      const bool url = place->line.by_url();
      place->not_before = now + options_.fetch_pause;
      place->due = now + (!url     ? options_.file_period
                          : failed ? options_.fetch_pause
                                   : options_.fetch_period);
    }
  }
}

absl::Status KeyKeeper::Refresh(Place& place) {
  const std::string& where = place.line.keys;
  absl::StatusOr<std::string> text =
      place.line.by_url() ? fetch_(where, stop_) : ReadSmallFile(where);
  if (!text.ok() && !place.line.by_url()) return text.status();  // which names the file
  if (!text.ok()) {
    return absl::UnavailableError(fmt::format("{}: {}", where, StdView(text.status().message())));
  }
  if (*text == place.text) return absl::AlreadyExistsError("nothing new");
  absl::StatusOr<KeySet> keys = ParseKeys(*text, place.line);
  if (!keys.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}", where, StdView(keys.status().message())));
  }
  place.text = *std::move(text);
  place.keys = std::make_shared<const KeySet>(*std::move(keys));
  return absl::OkStatus();
}

void KeyKeeper::Publish(std::string_view issuer) {
  KeySet all;
  for (const Place& place : places_) {
    if (place.line.issuer != issuer || place.keys == nullptr) continue;
    if (absl::Status added = all.AddAll(*place.keys); !added.ok()) {
      Log(LogLevel::kWarning, "keys_not_used",
          {{"where", place.line.keys}, {"why", added.ToString()}});
    }
  }
  auto shared = std::make_shared<const KeySet>(std::move(all));
  absl::MutexLock lock(&mutex_);
  sets_[std::string(issuer)].swap(shared);
}

std::shared_ptr<const KeySet> KeyKeeper::Keys(std::string_view issuer) {
  absl::MutexLock lock(&mutex_);
  const auto found = sets_.find(issuer);
  return found == sets_.end() ? nullptr : found->second;
}

void KeyKeeper::Missed(std::string_view issuer, std::string_view) {
  absl::MutexLock lock(&mutex_);
  for (Place& place : places_) {
    if (place.line.issuer != issuer || !place.line.by_url()) continue;
    if (place.not_before >= place.due) continue;
    place.due = place.not_before;
    changed_.SignalAll();
  }
}

}  // namespace wsrouter
