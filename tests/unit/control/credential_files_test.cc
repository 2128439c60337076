#include "control/credential_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "tests/support/authority.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kOther = "fedcba9876543210fedcba9876543210";

class CredentialFilesTest : public testing::Test {
 protected:
  CredentialFilesTest() : server_(authority_.IssueServer()) {
    paths_.tls = {.cert = server_.cert_file, .key = server_.key_file, .client_ca = {}};
    paths_.tokens = authority_.Write("tokens", "chat publish " + kToken);
  }

  void Open() {
    auto files = CredentialFiles::Open(paths_, stats_, clock_);
    ASSERT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
  }
  std::string Refusal() {
    const auto files = CredentialFiles::Open(paths_, stats_, clock_);
    return files.ok() ? "(accepted)" : std::string(StdView(files.status().message()));
  }
  absl::Time Expiry() { return stats_.CertificateExpiry(ListeningPort::kControl).value(); }

  const SystemClock clock_;
  Stats stats_{{.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch()};
  Authority authority_;
  Issued server_;
  CredentialFiles::Paths paths_;
  std::unique_ptr<CredentialFiles> files_;
};

TEST_F(CredentialFilesTest, AreReadAtStart) {
  Open();
  EXPECT_EQ(files_->certificate()->chain, server_.cert);
  EXPECT_EQ(files_->certificate()->key, server_.key);
  EXPECT_EQ(files_->first_tokens()->RoleOf(kToken, clock_.Now().wall), Role::kPublish);
  EXPECT_GT(Expiry(), clock_.Now().wall + absl::Hours(23));
  EXPECT_LT(Expiry(), clock_.Now().wall + absl::Hours(25));
}

TEST_F(CredentialFilesTest, NewPairIsTakenWhenBothFilesAreThere) {
  Open();
  const absl::Time before = Expiry();
  const std::string old_key = server_.key;
  const Issued next = authority_.IssueServer(absl::Hours(48));
  // Between the two renames of whoever writes them.
  authority_.Write("server.key", old_key);
  files_->Look();
  EXPECT_EQ(files_->certificate()->chain, server_.cert);
  EXPECT_EQ(Expiry(), before);

  authority_.Write("server.key", next.key);
  files_->Look();
  EXPECT_EQ(files_->certificate()->chain, next.cert);
  EXPECT_EQ(files_->certificate()->key, next.key);
  EXPECT_GT(Expiry(), before + absl::Hours(23));
}

TEST_F(CredentialFilesTest, BadCertificateIsRefusedAndTheOldStays) {
  Open();
  const absl::Time before = Expiry();
  const std::string cut = server_.cert.substr(0, server_.cert.size() / 2);
  for (const std::string& bad : {std::string(), std::string("no PEM"), cut, server_.cert + cut}) {
    authority_.Write("server.pem", bad);
    files_->Look();
    EXPECT_EQ(files_->certificate()->chain, server_.cert) << bad;
  }
  (void)authority_.Issue("server", {.common_name = "localhost", .ends_in = -absl::Minutes(1)});
  files_->Look();
  EXPECT_EQ(files_->certificate()->chain, server_.cert);
  EXPECT_EQ(Expiry(), before);
}

TEST_F(CredentialFilesTest, ChangedTokensAreHandedOnAndBadOnesAreNot) {
  Open();
  std::shared_ptr<const TokenTable> newest;
  files_->OnTokens([&](std::shared_ptr<const TokenTable> tokens) { newest = std::move(tokens); });
  files_->Look();
  EXPECT_EQ(newest, nullptr);
  for (const std::string& bad : {std::string(), "ops root " + kOther, std::string("ops admin x")}) {
    authority_.Write("tokens", bad);
    files_->Look();
    EXPECT_EQ(newest, nullptr) << bad;
  }
  authority_.Write("tokens", "ops admin " + kOther);
  files_->Look();
  ASSERT_NE(newest, nullptr);
  EXPECT_EQ(newest->RoleOf(kOther, clock_.Now().wall), Role::kAdmin);
  EXPECT_EQ(newest->RoleOf(kToken, clock_.Now().wall), std::nullopt);
}

TEST_F(CredentialFilesTest, BadStartIsRefusedWithKeyAndFileButNoSecret) {
  authority_.Write("tokens", "chat publish " + kToken + "\nops root " + kOther);
  EXPECT_THAT(Refusal(), HasSubstr("control.tokens_file: "));
  EXPECT_THAT(Refusal(), HasSubstr("tokens: line 2"));
  EXPECT_THAT(Refusal(), Not(HasSubstr(kOther)));
  authority_.Write("server.key", authority_.Issue("other", {.common_name = "other"}).key);
  EXPECT_THAT(Refusal(), HasSubstr("control.tls: "));
  EXPECT_THAT(Refusal(), HasSubstr("server.key is not the key of the certificate in"));
  authority_.Write("server.key", "");
  EXPECT_THAT(Refusal(), HasSubstr("server.key has no private key"));
  paths_.tls.key += ".gone";
  EXPECT_THAT(Refusal(), HasSubstr("server.key.gone cannot be read: No such file"));
}

TEST_F(CredentialFilesTest, CertificateMustBeValidNow) {
  (void)authority_.Issue("server", {.common_name = "localhost", .ends_in = -absl::Minutes(1)});
  EXPECT_THAT(Refusal(), HasSubstr("server.pem has expired at "));
  (void)authority_.Issue("server", {.common_name = "localhost", .begins_in = absl::Minutes(5)});
  EXPECT_THAT(Refusal(), HasSubstr("server.pem is valid from "));
}

TEST_F(CredentialFilesTest, AuthoritiesOfClientsMustBeReadable) {
  paths_.tls.client_ca = authority_.Write("clients.pem", authority_.cert());
  EXPECT_EQ(Refusal(), "(accepted)");
  for (const std::string& bad : {std::string(), std::string("no PEM"), server_.key}) {
    authority_.Write("clients.pem", bad);
    EXPECT_THAT(Refusal(), HasSubstr("clients.pem has no certificate in PEM")) << bad;
  }
}

TEST_F(CredentialFilesTest, FileThatIsNotThereOrTooLargeIsNamed) {
  paths_.tokens = authority_.Write("tokens", std::string((size_t{1} << 20) + 1, '#'));
  EXPECT_THAT(Refusal(), HasSubstr("tokens is larger than 1MiB"));
  paths_.tokens = "/nowhere/tokens";
  EXPECT_THAT(Refusal(), HasSubstr("/nowhere/tokens cannot be read: No such file"));
}

}  // namespace
}  // namespace wsrouter
