#ifndef WSROUTER_TESTS_SUPPORT_AUTHORITY_H_
#define WSROUTER_TESTS_SUPPORT_AUTHORITY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wsrouter {

// What a certificate says.
struct Subject {
  std::string common_name = {};
  std::string alternative_names = {};  // as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1"
  absl::Duration begins_in = -absl::Hours(1);
  absl::Duration ends_in = absl::Hours(24);
};

// Where a certificate and its key are, and what is in these files.
struct Issued {
  std::string cert_file;
  std::string key_file;
  std::string cert;
  std::string key;
};

// An authority with a new key, in a folder of its own that goes with the object.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;

  // Issues a certificate for a new key, in files that are named after `name`; those that are there
  // under this name are replaced, each in one step.
  Issued Issue(std::string_view name, const Subject& subject);

  // For a server that is called localhost or 127.0.0.1.
  Issued IssueServer(absl::Duration ends_in = absl::Hours(24));

  const std::string& cert_file() const { return self_.cert_file; }
  const std::string& cert() const { return self_.cert; }  // PEM

  // Writes a file of the folder in one step, and returns where it is.
  std::string Write(std::string_view name, std::string_view text) const;

 private:
  struct Signer;

  std::string folder_;
  std::unique_ptr<Signer> signer_;
  Issued self_;
  long serial_ = 1;
};

// The text of a file.
std::string TextOf(const std::string& path);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_AUTHORITY_H_
