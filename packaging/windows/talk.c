/* Talks to itself over the loopback for as many seconds as it is told: TCP over IPv4, datagrams, and a
 * listener of IPv6, at fixed ports. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <stdlib.h>

static struct sockaddr_in loopback(unsigned short port)
{
    struct sockaddr_in end = {0};
    end.sin_family = AF_INET;
    end.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    end.sin_port = htons(port);
    return end;
}

int main(int count, char **arguments)
{
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    struct sockaddr_in tcp = loopback(4711), udp = loopback(4712);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (void *)&tcp, sizeof tcp) != 0 || listen(listener, 5) != 0)
        return 1;
    SOCKET caller = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(caller, (void *)&tcp, sizeof tcp) != 0)
        return 1;
    SOCKET called = accept(listener, NULL, NULL);
    SOCKET datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    bind(datagrams, (void *)&udp, sizeof udp);
    SOCKET six = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 end = {0};
    end.sin6_family = AF_INET6;
    end.sin6_addr.s6_addr[15] = 1;
    end.sin6_port = htons(4713);
    bind(six, (void *)&end, sizeof end);
    listen(six, 5);

    int seconds = count > 1 ? atoi(arguments[1]) : 20;
    char buffer[16];
    for (int at = 0; at < seconds; at++) {
        send(caller, "ping", 4, 0);
        recv(called, buffer, sizeof buffer, 0);
        send(called, "pong", 4, 0);
        recv(caller, buffer, sizeof buffer, 0);
        sendto(datagrams, "x", 1, 0, (void *)&udp, sizeof udp);
        Sleep(1000);
    }
    return 0;
}
