// Runs the clients named as arguments, one after another; a line for each: NAME, milliseconds, and the answer or "!" and why there is none.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"
)

const limit = 10 * time.Second

var user, password = os.Getenv("DATABASE_USER"), os.Getenv("DATABASE_PASSWORD")

var clients = map[string]func(context.Context) (string, error){
	"net/http": func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, "GET", "http://"+os.Getenv("HTTP_ADDRESS")+"/multiply/6/7", nil)
		if err != nil {
			return "", err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	},
	"lib/pq": func(ctx context.Context) (string, error) {
		return query(ctx, "postgres", fmt.Sprintf("postgres://%s:%s@%s/postgres?sslmode=disable", user, password, os.Getenv("POSTGRES_ADDRESS")))
	},
	"go-sql-driver/mysql": func(ctx context.Context) (string, error) {
		return query(ctx, "mysql", fmt.Sprintf("%s:%s@tcp(%s)/shop", user, password, os.Getenv("MARIADB_ADDRESS")))
	},
	"net, pod's name": func(ctx context.Context) (string, error) { return get(ctx, os.Getenv("POD_NAME_ADDRESS")) },
	"net, pod's IP":   func(ctx context.Context) (string, error) { return get(ctx, os.Getenv("POD_ADDRESS")) },
}

func query(ctx context.Context, driver, source string) (answer string, err error) {
	database, err := sql.Open(driver, source)
	if err != nil {
		return "", err
	}
	defer database.Close()
	err = database.QueryRowContext(ctx, "SELECT 6 * 7").Scan(&answer)
	return answer, err
}

func get(ctx context.Context, address string) (string, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	if _, err = io.WriteString(connection, "GET /multiply/6/7 HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	response, err := io.ReadAll(connection)
	_, body, _ := strings.Cut(string(response), "\r\n\r\n")
	return body, err
}

func main() {
	for _, name := range os.Args[1:] {
		started := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		answer, err := clients[name](ctx)
		cancel()
		if err != nil {
			answer = "!" + strings.Join(strings.Fields(err.Error()), " ")
		}
		fmt.Printf("%s\t%d\t%s\n", name, time.Since(started).Milliseconds(), answer)
	}
}
