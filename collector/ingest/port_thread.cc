#include "collector/ingest/port_thread.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "collector/ingest/agent_stream.h"
#include "protos/base/clock.h"
#include "protos/base/logging.h"
#include "protos/base/seeded_bug.h"
#include "protos/base/status.h"
#include "protos/net/socket_address.h"

namespace forewarn::ingest {
namespace {

constexpr uint64_t kListener = ~uint64_t{0};
constexpr uint64_t kBell = ~uint64_t{0} - 1;
// A new connection costs some 4 ms of signatures: so many a turn.
constexpr int kAcceptsATurn = 4;
// So many may be sent away besides, so that the kernel's queue has room for
// those that may come in.
constexpr int kRefusalsATurn = 2048;
// Bad handshakes and streams of one source: after fifty, five a second.
constexpr net::FailureLimiter::Options kOffences = {
    .burst = 50, .forgive = absl::Milliseconds(200)};
// Records that one connection may bring before others have a turn.
constexpr int kRecordsATurn = 16;
// However much an endpoint is over its quota.
constexpr absl::Duration kLongestPause = absl::Seconds(5);
constexpr size_t kInput = 17 << 10;  // one TLS record
// An agent that takes nothing while so much waits for it is cut.
constexpr size_t kMostUnsent = 1 << 20;
constexpr absl::Duration kHandshakeWithin = absl::Seconds(20);
constexpr absl::Duration kHelloWithin = absl::Seconds(20);
// So long without a byte, then so long for the answer to a ping.
constexpr absl::Duration kQuiet = absl::Seconds(30);
constexpr absl::Duration kPingWithin = absl::Seconds(15);
constexpr absl::Duration kLinger = absl::Seconds(5);
constexpr absl::Duration kSweepEvery = absl::Seconds(1);
constexpr absl::Duration kReloadEvery = absl::Minutes(1);

int SelectHttp2(SSL* /*session*/, const unsigned char** out,
                unsigned char* out_size, const unsigned char* offered,
                unsigned int size, void* /*argument*/) {
  for (unsigned int i = 0; i + offered[i] < size; i += offered[i] + 1u) {
    if (offered[i] == 2 && offered[i + 1] == 'h' && offered[i + 2] == '2') {
      *out = offered + i + 1;
      *out_size = 2;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string PeerCertificatePem(SSL* session) {
  X509* const certificate = SSL_get0_peer_certificate(session);
  BIO* const out = BIO_new(BIO_s_mem());
  std::string pem;
  if (certificate != nullptr && out != nullptr &&
      PEM_write_bio_X509(out, certificate) == 1) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    pem.assign(data, static_cast<size_t>(size));
  }
  BIO_free(out);
  return pem;
}

// That nobody sets: a jump of the wall clock is no silence of an agent.
absl::Duration Now() {
  const base::Clock& clock = base::Clock::System();
  return base::Seeded(base::Bug::kWallClockTimeout)
             ? clock.Now() - absl::UnixEpoch()
             : clock.Awake();
}

int64_t ChangedAt(const std::string& path) {
  struct stat file {};
  return stat(path.c_str(), &file) == 0 ? file.st_mtim.tv_sec : 0;
}

}  // namespace

struct PortThread::Connection {
  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };

  uint64_t id = 0;
  base::Descriptor socket;
  std::string source;  // the peer's address
  std::unique_ptr<SSL, FreeSession> session;
  std::unique_ptr<AgentStream> stream;  // after the handshake
  StreamHost* slot_of = nullptr;
  std::string output;
  size_t output_begin = 0;
  bool paused = false;  // is not read for a while
  uint32_t watched = EPOLLIN;
  bool pinged = false;
  absl::Duration began;  // as PortThread::now_
  absl::Duration heard;
  absl::Duration finished_at = absl::InfiniteDuration();

  ~Connection() {
    stream.reset();
    if (slot_of != nullptr) slot_of->Release();
  }
  bool output_left() const { return output_begin < output.size(); }
};

PortThread::PortThread(int index, StreamHost& host, Doorkeeper& doorkeeper,
                       int listener)
    : index_(index),
      host_(host),
      doorkeeper_(doorkeeper),
      listener_(listener),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      outbox_(std::make_shared<Outbox>()),
      offences_(kOffences),
      input_(kInput) {}

PortThread::~PortThread() { Stop(absl::ZeroDuration()); }

absl::Status PortThread::LoadCertificates() {
  const IngestOptions& options = host_.options();
  certificates_changed_ = ChangedAt(options.certificate_path);
  std::unique_ptr<SSL_CTX, FreeContext> context(
      SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const raw = context.get();
  if (raw == nullptr ||
      SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1 ||
      SSL_CTX_use_certificate_chain_file(
          raw, options.certificate_path.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(raw, options.key_path.c_str(),
                                  SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(raw, options.ca_path.c_str(), nullptr) !=
          1) {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return absl::InternalError(
        absl::StrCat("use the certificates of ", options.certificate_path, ": ",
                     reason == nullptr ? "unknown" : reason));
  }
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  // A record, or many, in one call of the kernel.
  SSL_CTX_set_read_ahead(raw, 1);
  // Streams live for days: resumption would only cost.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_alpn_select_cb(raw, SelectHttp2, nullptr);
  context_ = std::move(context);
  return absl::OkStatus();
}

// A renewed server certificate is used without a restart, by new connections.
void PortThread::ReloadCertificates() {
  if (now_ < next_reload_) return;
  next_reload_ = now_ + kReloadEvery;
  if (ChangedAt(host_.options().certificate_path) == certificates_changed_) {
    return;
  }
  if (const absl::Status loaded = LoadCertificates(); !loaded.ok()) {
    base::Log(base::LogLevel::kError, "renewed certificate not used",
              {{"reason", base::ToLine(loaded)}});
  }
}

absl::Status PortThread::Start() {
  FOREWARN_RETURN_IF_ERROR(LoadCertificates());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kBell;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, outbox_->bell().fd(), &event);
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  event.data.u64 = kListener;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_, &event);
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void PortThread::Stop(absl::Duration farewell) {
  if (!thread_.joinable()) return;
  stop_within_ms_ = absl::ToInt64Milliseconds(farewell);
  outbox_->bell().Ring();
  thread_.join();
}

void PortThread::Run() {
  epoll_event events[512];
  absl::Duration stop_at = absl::InfiniteDuration();
  for (;;) {
    now_ = Now();
    if (stop_within_ms_ >= 0 && accepting_) {
      accepting_ = false;
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_, nullptr);
      stop_at = now_ + absl::Milliseconds(stop_within_ms_.load());
    }
    if (!accepting_ && (now_ >= stop_at || connections_.empty())) break;
    const int count = epoll_wait(epoll_.get(), events, 512, Patience());
    now_ = Now();
    bool may_accept = false;
    // Acks first: they are what a stream's allowance is counted by.
    DrainOutbox();
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[i].data.u64;
      if (id == kListener) {
        may_accept = accepting_;
      } else if (id != kBell) {
        if (const auto it = connections_.find(id); it != connections_.end()) {
          // Who hung up is not waited for.
          if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0) {
            it->second->paused = false;
          }
          Serve(*it->second);
        }
      }
    }
    ServeDue();
    if (may_accept) Accept();
    Sweep();
    ReloadCertificates();
  }
  connections_.clear();
}

void PortThread::Accept() {
  int refused = 0;
  for (int i = 0; i < kAcceptsATurn && refused < kRefusalsATurn; ++i) {
    net::SocketAddress peer;
    peer.length = sizeof(peer.storage);
    base::Descriptor socket(
        accept4(listener_, reinterpret_cast<sockaddr*>(&peer.storage),
                &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.get() < 0) {
      // Out of descriptors: the listener stays readable, so wait a moment.
      if (errno == EMFILE || errno == ENFILE) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return;
    }
    // Strangers may not take what memory there is: beyond twice the streams
    // nobody is even shaken hands with.
    if (connections_.size() >= size_t{2} * host_.options().streams) continue;
    std::string source = net::ToText(peer);
    if (offences_.Wait(source, now_) > absl::ZeroDuration()) {
      host_.NoteTurnedAway();
      ++refused;
      --i;
      continue;
    }
    const int one = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    auto connection = std::make_unique<Connection>();
    // Unique among the threads of the port: it is the stream's number too.
    connection->id =
        ++next_id_ * static_cast<uint64_t>(host_.options().threads) +
        static_cast<uint64_t>(index_);
    connection->session.reset(SSL_new(context_.get()));
    if (connection->session == nullptr ||
        SSL_set_fd(connection->session.get(), socket.get()) != 1) {
      continue;
    }
    SSL_set_accept_state(connection->session.get());
    connection->socket = std::move(socket);
    connection->source = std::move(source);
    connection->began = connection->heard = now_;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = connection->id;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->socket.get(), &event);
    connections_[connection->id] = std::move(connection);
  }
}

void PortThread::Close(uint64_t id) { connections_.erase(id); }

void PortThread::NoteOffence(const Connection& connection) {
  offences_.Failed(connection.source, now_);
}

// False: not yet, or the connection is gone.
bool PortThread::Shake(Connection& connection) {
  ERR_clear_error();
  const int result = SSL_do_handshake(connection.session.get());
  if (result != 1) {
    const int error = SSL_get_error(connection.session.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
      base::Log(base::LogLevel::kDebug, "handshake failed",
                {{"reason", reason == nullptr ? "closed" : reason}});
      ERR_clear_error();
      NoteOffence(connection);
      Close(connection.id);
    }
    return false;
  }
  const absl::StatusOr<std::string> id =
      doorkeeper_.Authenticate(PeerCertificatePem(connection.session.get()));
  if (!id.ok()) NoteOffence(connection);
  absl::Status refused = id.status();
  refused.Update(host_.Admit());
  connection.slot_of = &host_;
  connection.stream = std::make_unique<AgentStream>(
      host_, connection.id, id.ok() ? *id : "unknown", refused,
      std::make_shared<OutboxLink>(outbox_, connection.id), scratch_);
  connection.began = now_;
  return true;
}

// False: the connection is gone.
bool PortThread::Read(Connection& connection) {
  for (int i = 0; i < kRecordsATurn; ++i) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(connection.session.get(), input_.data(),
                                   input_.size(), &count);
    if (result != 1) {
      const int error = SSL_get_error(connection.session.get(), result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        break;
      }
      ERR_clear_error();
      Close(connection.id);
      return false;
    }
    connection.heard = now_;
    connection.pinged = false;
    const bool offended = connection.stream->offended();
    const bool goes_on = connection.stream->call().Receive(
        absl::string_view(input_.data(), count));
    if (connection.stream->offended() && !offended) NoteOffence(connection);
    if (!goes_on || connection.stream->call().finished()) return true;
    // Of what is left in the kernel epoll tells again.
    if (SSL_has_pending(connection.session.get()) == 0) break;
    if (i + 1 == kRecordsATurn) ServeLater(connection, now_);
  }
  const absl::Duration wait = connection.stream->OverQuota(now_);
  if (wait > absl::ZeroDuration()) {
    connection.paused = true;
    ServeLater(connection, now_ + std::min(wait, kLongestPause));
  }
  return true;
}

void PortThread::ServeLater(Connection& connection, absl::Duration at) {
  due_.emplace(at, connection.id);
}

void PortThread::ServeDue() {
  std::vector<uint64_t> due;
  while (!due_.empty() && due_.begin()->first <= now_) {
    due.push_back(due_.begin()->second);
    due_.erase(due_.begin());
  }
  for (const uint64_t id : due) {
    const auto it = connections_.find(id);
    if (it == connections_.end()) continue;
    it->second->paused = false;
    Serve(*it->second);
  }
}

// Milliseconds to the next thing to do unasked.
int PortThread::Patience() const {
  const int most = accepting_ ? 1000 : 50;
  if (due_.empty()) return most;
  const absl::Duration left =
      absl::Ceil(due_.begin()->first - now_, absl::Milliseconds(1));
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(left), 0, most));
}

void PortThread::Serve(Connection& connection) {
  if (connection.stream == nullptr && !Shake(connection)) return;
  if (!connection.paused && !Read(connection)) return;
  Flush(connection);
}

// May close the connection.
void PortThread::Flush(Connection& connection) {
  ServerCall& call = connection.stream->call();
  for (;;) {
    if (!connection.output_left()) {
      connection.output.clear();
      connection.output_begin = 0;
      if (!call.TakeOutput(connection.output)) break;
    }
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_write_ex(
        connection.session.get(),
        connection.output.data() + connection.output_begin,
        connection.output.size() - connection.output_begin, &count);
    if (result != 1) {
      const int error = SSL_get_error(connection.session.get(), result);
      if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ) break;
      ERR_clear_error();
      return Close(connection.id);
    }
    connection.output_begin += count;
  }
  if (!connection.output_left()) std::string().swap(connection.output);
  if (!connection.output_left() && call.over()) {
    SSL_shutdown(connection.session.get());
    ERR_clear_error();
    return Close(connection.id);
  }
  if (call.unsent_bytes() > kMostUnsent) return Close(connection.id);
  if (call.finished()) {
    connection.finished_at = std::min(connection.finished_at, now_);
  }
  Watch(connection);
}

// Asks epoll for what the connection can do now.
void PortThread::Watch(Connection& connection) {
  epoll_event event{};
  if (!connection.paused) event.events |= EPOLLIN;
  if (connection.output_left()) event.events |= EPOLLOUT;
  if (event.events == connection.watched) return;
  connection.watched = event.events;
  event.data.u64 = connection.id;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void PortThread::DrainOutbox() {
  if (!outbox_->bell().Silence()) return;
  const std::vector<Outbox::Word> words = outbox_->TakeAll();
  absl::flat_hash_set<uint64_t> touched;
  for (const Outbox::Word& word : words) {
    const auto it = connections_.find(word.connection);
    if (it == connections_.end() || it->second->stream == nullptr) continue;
    AgentStream& stream = *it->second->stream;
    if (word.failure.has_value()) {
      stream.SendAcks();
      stream.Fail(*word.failure);
    } else if (word.message.has_value()) {
      stream.Send(*word.message);
    } else {
      stream.Acknowledge(word.run, word.sequence, word.dropped);
    }
    touched.insert(word.connection);
  }
  for (const uint64_t id : touched) {
    Connection& connection = *connections_[id];
    connection.stream->SendAcks();
    Flush(connection);
  }
}

// Time-outs, once a second.
void PortThread::Sweep() {
  if (now_ < next_sweep_) return;
  next_sweep_ = now_ + kSweepEvery;
  std::vector<uint64_t> dead;
  std::vector<uint64_t> quiet;
  for (const auto& [id, connection] : connections_) {
    const absl::Duration silent = now_ - connection->heard;
    if (connection->stream == nullptr) {
      if (now_ - connection->began > kHandshakeWithin) dead.push_back(id);
    } else if (now_ - connection->finished_at > kLinger ||
               silent > kQuiet + kPingWithin ||
               (!connection->stream->greeted() &&
                now_ - connection->began > kHelloWithin)) {
      dead.push_back(id);
    } else if (silent > kQuiet && !connection->pinged) {
      quiet.push_back(id);
    }
  }
  for (const uint64_t id : dead) Close(id);
  for (const uint64_t id : quiet) {
    Connection& connection = *connections_[id];
    connection.pinged = true;
    connection.stream->call().Ping();
    Flush(connection);
  }
}

}  // namespace forewarn::ingest
