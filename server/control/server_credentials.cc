#include "control/server_credentials.h"

#include <string>
#include <string_view>

#include "base/strings.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpc/slice.h"

namespace wsrouter {
namespace {

// What gRPC asks from before a handshake: the certificate of the files, where it is not the one of
// the handshake before. gRPC asks under a lock of its own.
struct Fetcher {
  const CredentialFiles& files;
  std::shared_ptr<const Certificate> fetched = nullptr;

  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    std::shared_ptr<const Certificate> newest = files.certificate();
    if (newest == fetched) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {.private_key = newest->key.c_str(),
                                             .cert_chain = newest->chain.c_str()};
    // gRPC insists on authorities for clients, also where clients are not asked for a certificate.
    const std::string& authorities = newest->client_ca.empty() ? newest->chain : newest->client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    fetched = std::move(newest);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }
};

std::string_view View(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

void AddNames(const grpc_auth_context* context, const char* property, Caller& caller) {
  grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(context, property);
  while (const grpc_auth_property* name = grpc_auth_property_iterator_next(&found)) {
    caller.names.emplace_back(name->value, name->value_length);
  }
}

void Process(void* state, grpc_auth_context* context, const grpc_metadata* headers, size_t count,
             grpc_process_auth_metadata_done_cb done, void* user_data) {
  Caller caller;
  for (const char* property : kNameProperties) AddNames(context, property, caller);
  std::string_view method;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view key = View(headers[i].key);
    if (key == ":path") method = View(headers[i].value);
    if (key == "authorization") caller.authorization.push_back(View(headers[i].value));
  }
  const absl::Status verdict = static_cast<const AccessCheck*>(state)->AdmitOther(method, caller);
  const std::string message(StdView(verdict.message()));
  done(user_data, nullptr, 0, nullptr, 0, static_cast<grpc_status_code>(verdict.code()),
       message.c_str());
}

class PortCredentials final : public grpc::ServerCredentials {
 public:
  PortCredentials(const CredentialFiles& files, const AccessCheck* check) : fetcher_{files} {
    const std::shared_ptr<const Certificate> certificate = files.certificate();
    credentials_ =
        certificate == nullptr ? grpc_insecure_server_credentials_create() : Tls(*certificate);
    if (check == nullptr) return;
    grpc_server_credentials_set_auth_metadata_processor(
        credentials_,
        {.process = &Process, .destroy = [](void*) {}, .state = const_cast<AccessCheck*>(check)});
  }
  ~PortCredentials() override { grpc_server_credentials_release(credentials_); }

 private:
  grpc_server_credentials* Tls(const Certificate& certificate) {
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            certificate.client_ca.empty()
                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            [](void* fetcher, grpc_ssl_server_certificate_config** config) {
              return static_cast<Fetcher*>(fetcher)->Fetch(config);
            },
            &fetcher_));
  }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  Fetcher fetcher_;
  grpc_server_credentials* credentials_ = nullptr;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const CredentialFiles& files,
                                                               const AccessCheck* check) {
  return std::make_shared<PortCredentials>(files, check);
}

}  // namespace wsrouter
