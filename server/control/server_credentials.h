#ifndef WSROUTER_CONTROL_SERVER_CREDENTIALS_H_
#define WSROUTER_CONTROL_SERVER_CREDENTIALS_H_

#include <memory>

#include "control/access_check.h"
#include "control/credential_files.h"
#include "grpcpp/security/server_credentials.h"

namespace wsrouter {

// How gRPC secures the port: TLS 1.2 and later with the certificate of `files`, where it has one,
// each handshake with the newest, or plain text; with AccessCheck::AdmitOther before every call
// where `check` is not null. Both must outlive the server, and so must the result, which gRPC does
// not keep although it goes on asking it.
//
// gRPC's C++ library has neither for both kinds of port, so this is made of its C API.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const CredentialFiles& files,
                                                               const AccessCheck* check);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_SERVER_CREDENTIALS_H_
