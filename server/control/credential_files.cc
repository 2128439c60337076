#include "control/credential_files.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);

absl::Status Under(std::string_view key, const absl::Status& status) {
  return absl::InvalidArgumentError(
      AbslView(fmt::format("{}: {}", key, StdView(status.message()))));
}

void LogRefused(std::string_view what, const absl::Status& why) {
  Log(LogLevel::kWarning, "credential_refused",
      {{"credential", what},
       {"message", StdView(why.message())},
       {"consequence", "the one from before stays in use"}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<CredentialFiles>> CredentialFiles::Open(Paths paths, Stats& stats,
                                                                       const Clock& clock) {
  std::unique_ptr<CredentialFiles> files(new CredentialFiles(std::move(paths), stats, clock));
  // Stamps are taken before what they stand for, so that what is written meanwhile is seen later.
  files->tls_stamps_ = files->StampTls();
  files->tokens_stamp_ = StampOf(files->paths_.tokens);
  if (!files->paths_.tls.cert.empty()) {
    const absl::Status read = files->ReadTls();
    if (!read.ok()) return Under("control.tls", read);
  }
  if (!files->paths_.tokens.empty()) {
    absl::StatusOr<std::shared_ptr<const TokenTable>> tokens = files->ReadTokens();
    if (!tokens.ok()) return Under("control.tokens_file", tokens.status());
    files->first_tokens_ = *std::move(tokens);
  }
  return files;
}

CredentialFiles::~CredentialFiles() {
  {
    absl::MutexLock lock(&mutex_);
    end_ = true;
    ended_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

CredentialFiles::TlsStamps CredentialFiles::StampTls() const {
  return {StampOf(paths_.tls.cert), StampOf(paths_.tls.key), StampOf(paths_.tls.client_ca)};
}

absl::Status CredentialFiles::ReadTls() {
  absl::StatusOr<Certificate> read = ReadCertificate(paths_.tls, clock_.Now().wall);
  if (!read.ok()) return read.status();
  stats_.SetCertificateExpiry(ListeningPort::kControl, read->expires_at);
  auto shared = std::make_shared<const Certificate>(*std::move(read));
  absl::MutexLock lock(&mutex_);
  certificate_.swap(shared);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TokenTable>> CredentialFiles::ReadTokens() const {
  const absl::StatusOr<std::string> text = ReadSmallFile(paths_.tokens);
  if (!text.ok()) return text.status();
  absl::StatusOr<TokenTable> table = TokenTable::Parse(*text);
  if (!table.ok()) return Under(paths_.tokens, table.status());
  return std::make_shared<const TokenTable>(*std::move(table));
}

std::shared_ptr<const Certificate> CredentialFiles::certificate() const {
  absl::MutexLock lock(&mutex_);
  return certificate_;
}

void CredentialFiles::Watch() {
  if (paths_.tls.cert.empty() && paths_.tokens.empty()) return;
  thread_ = std::thread([this] {
    while (AwaitTurn()) Look();
  });
}

bool CredentialFiles::AwaitTurn() {
  absl::MutexLock lock(&mutex_);
  if (!end_) ended_.WaitWithTimeout(&mutex_, kLookEvery);
  return !end_;
}

void CredentialFiles::Look() {
  if (const TlsStamps stamps = StampTls(); stamps != tls_stamps_) {
    tls_stamps_ = stamps;
    const absl::Status read = ReadTls();
    if (read.ok()) {
      Log(LogLevel::kInfo, "credential_changed",
          {{"credential", "control.tls"},
           {"expires_at", absl::FormatTime(certificate()->expires_at, absl::UTCTimeZone())}});
    } else {
      LogRefused("control.tls", read);
    }
  }
  if (const FileStamp stamp = StampOf(paths_.tokens); stamp != tokens_stamp_) {
    tokens_stamp_ = stamp;
    absl::StatusOr<std::shared_ptr<const TokenTable>> tokens = ReadTokens();
    if (!tokens.ok()) return LogRefused("control.tokens_file", tokens.status());
    Log(LogLevel::kInfo, "credential_changed",
        {{"credential", "control.tokens_file"}, {"tokens", (*tokens)->size()}});
    if (changed_) changed_(*std::move(tokens));
  }
}

}  // namespace wsrouter
