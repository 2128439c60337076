#ifndef WSROUTER_AUTH_KEY_KEEPER_H_
#define WSROUTER_AUTH_KEY_KEEPER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "auth/fetch_stop.h"
#include "auth/issuer_line.h"
#include "auth/key_source.h"
#include "base/clock.h"

namespace wsrouter {

// Keeps the keys of all issuers up to date, on a thread of its own: files are looked at every
// second or so and read again when they have changed, JWK Sets behind URLs are fetched now and
// then, and when a token names a key that they lack, though not more often than `fetch_pause`.
// What cannot be read or fetched leaves the keys as they were, and is logged.
class KeyKeeper final : public KeySource {
 public:
  // The body that the URL answers with, 256 KiB at most. Blocks, within a time of its own, or until
  // it is stopped.
  using Fetch = std::function<absl::StatusOr<std::string>(const std::string& url, FetchStop& stop)>;

  struct Options {
    std::vector<IssuerLine> lines;
    absl::Duration file_period = absl::Seconds(1);
    absl::Duration fetch_period = absl::Minutes(10);
    absl::Duration fetch_pause = absl::Seconds(30);
  };

  // Reads every file before it returns; an error names it. URLs are fetched behind that: until one
  // has answered, its issuer has no keys.
  static absl::StatusOr<std::unique_ptr<KeyKeeper>> Start(const Options& options, Fetch fetch,
                                                          const Clock& clock);
  // Stops a fetch that is under way: a server that does not answer does not hold up the end.
  ~KeyKeeper() override;

  std::shared_ptr<const KeySet> Keys(std::string_view issuer) override;
  void Missed(std::string_view issuer, std::string_view kid) override;

 private:
  // A place where keys are.
  struct Place {
    IssuerLine line;
    std::string text;  // as it was read last
    std::shared_ptr<const KeySet> keys;
    absl::Duration due;         // uptime; when it is looked at again
    absl::Duration not_before;  // uptime; a miss makes it due, but not before
    bool failed = false;        // the last time
  };

  KeyKeeper(const Options& options, Fetch fetch, const Clock& clock);
  void Main();
  // Reads or fetches the place anew.
  absl::Status Refresh(Place& place);
  void Publish(std::string_view issuer);

  const Options options_;
  const Fetch fetch_;
  FetchStop stop_;
  const Clock& clock_;
  std::vector<Place> places_;  // the thread's, but for due, which is guarded by mutex_

  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::shared_ptr<const KeySet>, std::less<>> sets_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // the last member: it uses the others
};

// A Fetch by HTTP and HTTPS (system's authorities, no redirects): three seconds to connect, three
// to answer.
absl::StatusOr<std::string> FetchByHttp(const std::string& url, FetchStop& stop);

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_KEY_KEEPER_H_
