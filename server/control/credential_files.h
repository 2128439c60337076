#ifndef WSROUTER_CONTROL_CREDENTIAL_FILES_H_
#define WSROUTER_CONTROL_CREDENTIAL_FILES_H_

#include <array>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/certificate.h"
#include "base/clock.h"
#include "base/small_file.h"
#include "control/token_file.h"
#include "core/stats.h"

namespace wsrouter {

// The control port's certificate and tokens as they are on disk. What changes there is taken while
// the node runs; what is bad is refused as a whole and logged, and the old stays in use.
//
// No call waits for the disk: a thread of its own looks once a second. Any thread.
class CredentialFiles {
 public:
  struct Paths {
    TlsFiles tls;        // tls.cert empty: no certificate
    std::string tokens;  // empty: no tokens
  };
  using TokensChanged = absl::AnyInvocable<void(std::shared_ptr<const TokenTable>)>;

  // Reads all of them; an error names the key of the configuration and the file.
  static absl::StatusOr<std::unique_ptr<CredentialFiles>> Open(Paths paths, Stats& stats,
                                                               const Clock& clock);
  ~CredentialFiles();
  CredentialFiles(const CredentialFiles&) = delete;

  // Null without TLS.
  std::shared_ptr<const Certificate> certificate() const;
  // As they were read by Open; null without.
  std::shared_ptr<const TokenTable> first_tokens() const { return first_tokens_; }

  // Who gets each new table of tokens. Before the first look.
  void OnTokens(TokensChanged changed) { changed_ = std::move(changed); }
  // Begins to look.
  void Watch();
  // Looks once, now; one thread at a time. What Watch's thread does.
  void Look();

 private:
  using TlsStamps = std::array<FileStamp, 3>;

  CredentialFiles(Paths paths, Stats& stats, const Clock& clock)
      : paths_(std::move(paths)), stats_(stats), clock_(clock) {}
  TlsStamps StampTls() const;
  absl::Status ReadTls();
  absl::StatusOr<std::shared_ptr<const TokenTable>> ReadTokens() const;
  bool AwaitTurn();  // false at the end

  const Paths paths_;
  Stats& stats_;
  const Clock& clock_;
  std::shared_ptr<const TokenTable> first_tokens_;

  // The looking thread's.
  TlsStamps tls_stamps_;
  FileStamp tokens_stamp_;
  TokensChanged changed_;

  mutable absl::Mutex mutex_;
  absl::CondVar ended_;
  std::shared_ptr<const Certificate> certificate_ ABSL_GUARDED_BY(mutex_);
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CREDENTIAL_FILES_H_
