#!/bin/sh
# only_root FILE…: prints a line for each file and each directory on the way which lets others replace one of them, as `withLines` reads them.
# It prints a note about Debian's own directories whose group is `staff` (base-passwd: users whom root trusts with /usr/local). An ACL shows
# in the mode, whose group bits are its mask (acl(5)).
only_root() {
  for file; do
    left=${file#/} path='' hops=0 found=/
    while :; do
      read -r uid owner gid group mode kind <<STAT
$(stat -c '%u %U %g %G %a %F' "$found" 2>/dev/null)
STAT
      [ -n "$uid" ] || break
      if [ "$kind" = 'symbolic link' ]; then
        # A link cannot be edited, only replaced, by those who can write its directory.
        hops=$((hops + 1)) && [ "$hops" -le 40 ] || break
        to=$(readlink "$found")
        case $to in /*) path= ;; *) path=${found%/*} ;; esac
        left=$to${left:+/$left}
      else
        path=${found%/}
        case $mode in
          *[2367]) others=all ;;
          *[2367]?) others=group ;;
          *) others= ;;
        esac
        # In a sticky directory, only the owner of an entry can replace it, and entries are judged themselves.
        case $mode in [1357]???) [ "$kind" != directory ] || [ -z "$left" ] || others= ;; esac
        # shellcheck disable=SC2010 # Only ls prints whether a file has an ACL.
        if [ "$others" = group ] && [ "$gid" = 0 ] && ! ls -ld "$found" | grep -q '^[^ ]*+'; then others=; fi
        if [ "$uid" = 0 ] && [ "$others" = group ] && [ "$group" = staff ]; then
          case $found in /usr/local | /usr/local/* | /var/local | /var/local/*)
            echo "note: $found is writable for the group staff, as Debian sets it up, so its members can replace $file"
            others= ;;
          esac
        fi
        if [ "$uid" != 0 ] || [ -n "$others" ]; then
          echo "$found has mode $mode, owner $owner and group $group, so users other than root can replace $file, which root runs or trusts; see who has changed it, and run chown root:root $found; chmod go-w $found"
        fi
      fi
      while :; do
        case $left in /*) left=${left#/} ;; ./*) left=${left#./} ;; *) break ;; esac
      done
      [ -n "$left" ] && [ "$left" != . ] || break
      name=${left%%/*}
      case $left in */*) left=${left#*/} ;; *) left= ;; esac
      if [ "$name" = .. ]; then found=${path%/*} found=${found:-/}; else found=$path/$name; fi
    done
  done | awk '!seen[$1 " " $2]++'
}
