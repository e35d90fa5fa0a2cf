// SPDX-License-Identifier: BSD-3-Clause
// Hello.java: says what it was given, and fails.
public class Hello {
    public static void main(String[] arguments) {
        System.out.println(String.join(" ", arguments));
        throw new IllegalStateException("the end");
    }
}
