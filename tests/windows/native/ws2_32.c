// A ws2_32.dll whose Hyper-V sockets are TCP sockets of the loopback address, so that everything else (AcceptEx, completion
// ports, WSARecv) is Winsock's own; see ws2_32.def. Which port belongs to which virtual machine and service, a registry
// at 127.0.0.1:$LCOW_HVSOCKET_PORT knows. Each request is a line, and so is the answer: a number that is negative for
// an error of Winsock. The registry forgets what a process listened on when its connection is gone.
//   listen VM SERVICE PORT -> 0      unlisten VM SERVICE PORT -> 0      resolve VM SERVICE -> PORT
#include <winsock2.h>
#include <mswsock.h>
#include <stdio.h>
#include <stdlib.h>
#define AF_HYPERV 34
#define HV_PROTOCOL_RAW 1 // also the level of its options
typedef struct { USHORT family, reserved; GUID vm, service; } HvAddress;
typedef struct HvSocket { struct HvSocket *next; SOCKET s; HvAddress local; int port; } HvSocket; // a port: it listens
static HvSocket *sockets;
static SOCKET registry = INVALID_SOCKET;
static CRITICAL_SECTION lock;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static LPFN_CONNECTEX real_connect_ex;

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}
static BOOL CALLBACK connect_registry(PINIT_ONCE o, PVOID p, PVOID *c) {
  (void)o; (void)p; (void)c;
  InitializeCriticalSection(&lock);
  char port[16] = ""; GetEnvironmentVariableA("LCOW_HVSOCKET_PORT", port, sizeof port);
  struct sockaddr_in at = loopback(atoi(port));
  registry = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1; setsockopt(registry, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
  SetHandleInformation((HANDLE)registry, HANDLE_FLAG_INHERIT, 0); // its end is the end of this process
  if (connect(registry, (struct sockaddr *)&at, sizeof at)) { closesocket(registry); registry = INVALID_SOCKET; }
  return TRUE;
}
static void begin(void) { InitOnceExecuteOnce(&once, connect_registry, 0, 0); }
static void guid_text(char *to, const GUID *g) {
  int n = sprintf(to, "%08lx-%04x-%04x-%02x%02x-", g->Data1, g->Data2, g->Data3, g->Data4[0], g->Data4[1]);
  for (int i = 2; i < 8; i++) n += sprintf(to + n, "%02x", g->Data4[i]);
}
// The answer of the registry; a negative one is left as the last error.
static int ask(const char *verb, const HvAddress *address, int port) {
  char vm[40], service[40], line[128];
  guid_text(vm, &address->vm); guid_text(service, &address->service);
  int size = sprintf(line, port ? "%s %s %s %d\n" : "%s %s %s\n", verb, vm, service, port), got = 0, answer = -WSAENETDOWN;
  begin();
  EnterCriticalSection(&lock);
  if (send(registry, line, size, 0) == size) {
    while (got < 16 && recv(registry, line + got, 1, 0) == 1 && line[got] != '\n') got++;
    if (got > 0 && got < 16) { line[got] = 0; answer = atoi(line); }
  }
  LeaveCriticalSection(&lock);
  if (answer < 0) WSASetLastError(-answer);
  return answer;
}
// The place in the list of a Hyper-V socket, or of the list's end. The lock is held.
static HvSocket **place_of(SOCKET s) {
  HvSocket **at = &sockets;
  while (*at && (*at)->s != s) at = &(*at)->next;
  return at;
}
static HvSocket *hv_socket(SOCKET s) {
  begin();
  EnterCriticalSection(&lock); HvSocket *found = *place_of(s); LeaveCriticalSection(&lock);
  return found;
}
static int refuse(int error) { WSASetLastError(error); return SOCKET_ERROR; }

SOCKET WSAAPI hv_WSASocketW(int family, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP group, DWORD flags) {
  if (family != AF_HYPERV) return WSASocketW(family, type, protocol, info, group, flags);
  if (type != SOCK_STREAM || protocol != HV_PROTOCOL_RAW) return refuse(WSAEPROTONOSUPPORT);
  SOCKET s = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, 0, group, flags);
  if (s == INVALID_SOCKET) return s;
  int on = 1; setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (char *)&on, sizeof on);
  HvSocket *made = calloc(1, sizeof *made); made->s = s;
  begin();
  EnterCriticalSection(&lock); made->next = sockets; sockets = made; LeaveCriticalSection(&lock);
  return s;
}
int WSAAPI hv_bind(SOCKET s, const struct sockaddr *address, int size) {
  HvSocket *hv = hv_socket(s);
  if (!hv) return bind(s, address, size);
  if (size < (int)sizeof hv->local || address->sa_family != AF_HYPERV) return refuse(WSAEFAULT);
  hv->local = *(const HvAddress *)address;
  struct sockaddr_in at = loopback(0);
  return bind(s, (struct sockaddr *)&at, sizeof at);
}
int WSAAPI hv_listen(SOCKET s, int backlog) {
  HvSocket *hv = hv_socket(s);
  struct sockaddr_in at; int size = sizeof at;
  // Linux resets connections that find the queue full, Hyper-V lets them wait.
  if (listen(s, hv ? SOMAXCONN : backlog)) return SOCKET_ERROR;
  if (!hv) return 0;
  if (getsockname(s, (struct sockaddr *)&at, &size)) return SOCKET_ERROR;
  // Last: from here on a guest may come.
  int port = ntohs(at.sin_port);
  if (ask("listen", &hv->local, port) < 0) return SOCKET_ERROR;
  hv->port = port;
  return 0;
}
int WSAAPI hv_closesocket(SOCKET s) {
  begin();
  EnterCriticalSection(&lock);
  HvSocket **at = place_of(s), *gone = *at;
  if (gone) *at = gone->next;
  LeaveCriticalSection(&lock);
  if (gone && gone->port) ask("unlisten", &gone->local, gone->port);
  free(gone);
  return closesocket(s);
}
int WSAAPI hv_setsockopt(SOCKET s, int level, int option, const char *value, int size) {
  return level == HV_PROTOCOL_RAW && hv_socket(s) ? 0 : setsockopt(s, level, option, value, size);
}
int WSAAPI hv_connect(SOCKET s, const struct sockaddr *address, int size) {
  if (!hv_socket(s)) return connect(s, address, size);
  if (size < (int)sizeof(HvAddress) || address->sa_family != AF_HYPERV) return refuse(WSAEFAULT);
  int port = ask("resolve", (const HvAddress *)address, 0);
  if (port < 0) return SOCKET_ERROR;
  struct sockaddr_in at = loopback(port);
  return connect(s, (struct sockaddr *)&at, sizeof at);
}
static BOOL PASCAL hv_ConnectEx(SOCKET s, const struct sockaddr *address, int size, PVOID data, DWORD data_size, LPDWORD sent, LPOVERLAPPED overlapped) {
  if (!hv_socket(s)) return real_connect_ex(s, address, size, data, data_size, sent, overlapped);
  if (size < (int)sizeof(HvAddress) || address->sa_family != AF_HYPERV) { WSASetLastError(WSAEFAULT); return FALSE; }
  int port = ask("resolve", (const HvAddress *)address, 0);
  if (port < 0) return FALSE;
  struct sockaddr_in at = loopback(port);
  return real_connect_ex(s, (struct sockaddr *)&at, sizeof at, data, data_size, sent, overlapped);
}
int WSAAPI hv_WSAIoctl(SOCKET s, DWORD code, LPVOID in, DWORD in_size, LPVOID out, DWORD out_size, LPDWORD got, LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
  static const GUID connect_ex = WSAID_CONNECTEX;
  int failed = WSAIoctl(s, code, in, in_size, out, out_size, got, overlapped, routine);
  if (!failed && code == SIO_GET_EXTENSION_FUNCTION_POINTER && in_size == sizeof connect_ex && !memcmp(in, &connect_ex, in_size)) {
    real_connect_ex = *(LPFN_CONNECTEX *)out;
    *(LPFN_CONNECTEX *)out = hv_ConnectEx;
  }
  return failed;
}
