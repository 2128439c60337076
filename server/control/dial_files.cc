#include "control/dial_files.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<DialFiles>> DialFiles::Open(const BackendOptions& options,
                                                           const Clock& clock) {
  std::unique_ptr<DialFiles> files(new DialFiles({.cert = options.tls_cert_file,
                                                  .key = options.tls_key_file,
                                                  .client_ca = options.tls_ca_file},
                                                 clock));
  // Stamps are taken before what they stand for, so that what is written meanwhile is seen later.
  files->stamps_ = files->Stamp();
  absl::StatusOr<Credentials> read = files->Read();
  if (!read.ok()) {
    return absl::InvalidArgumentError(
        AbslView(fmt::format("backend.tls: {}", StdView(read.status().message()))));
  }
  files->first_ = *std::move(read);
  return files;
}

DialFiles::Stamps DialFiles::Stamp() const {
  return {StampOf(files_.cert), StampOf(files_.key), StampOf(files_.client_ca)};
}

absl::StatusOr<DialFiles::Credentials> DialFiles::Read() const {
  if (files_.client_ca.empty()) return grpc::InsecureChannelCredentials();
  absl::StatusOr<Certificate> read = ReadCertificate(files_, clock_.Now().wall);
  if (!read.ok()) return read.status();
  return grpc::SslCredentials({.pem_root_certs = std::move(read->client_ca),
                               .pem_private_key = std::move(read->key),
                               .pem_cert_chain = std::move(read->chain)});
}

void DialFiles::Watch() {
  if (files_.client_ca.empty()) return;
  thread_.PostAnswer([this] { LookAgain(); });
}

void DialFiles::LookAgain() {
  Look();
  thread_.After(kLookEvery, [this] { LookAgain(); });
}

void DialFiles::Look() {
  const Stamps stamps = Stamp();
  const bool news = stamps != stamps_;
  if (!news && !refused_) return;
  stamps_ = stamps;
  const absl::StatusOr<Credentials> read = Read();
  refused_ = !read.ok();  // what could not be read may be readable without being another
  if (refused_) {
    if (!news) return;
    Log(LogLevel::kWarning, "credential_refused",
        {{"credential", "backend.tls"},
         {"message", StdView(read.status().message())},
         {"consequence", "the one from before stays in use"}});
    return;
  }
  Log(LogLevel::kInfo, "credential_changed", {{"credential", "backend.tls"}});
  if (changed_) changed_(*read);
}

}  // namespace wsrouter
